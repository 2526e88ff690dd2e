"""Which queues a worker serves that was told names, globs, weights, and what to leave out."""

from __future__ import annotations

import pytest

from pgqueue.errors import OptionError
from pgqueue.worker.selection import ALL, select

QUEUES = ["critical", "default", "email.in", "email.out", "slow", "slow.email"]


def served(*args: object) -> list[str]:
    selection = select(*args)  # type: ignore[arg-type]
    return [queue for queue in QUEUES if selection.serves(queue)]


def test_globs_and_exclusions_select_queues() -> None:
    assert served(None) == QUEUES
    assert served(["default", "email.*"]) == ["default", "email.in", "email.out"]
    assert served(None, ["slow*"]) == ["critical", "default", "email.in", "email.out"]
    assert served(["email.*"], ["email.in"]) == ["email.out"]
    assert served({"critical": 3, "*": 1}, ["*slow*"]) == ["critical", "default", "email.in", "email.out"]


def test_names_in_full_are_known_beforehand_and_globs_are_not() -> None:
    assert select(["b", "a", "b"]).names == ["b", "a"]
    assert select(["a", "b"], ["b"]).names == ["a"]
    assert select(["a", "b.*"]).names is None
    assert select(None, ["b"]).names is None
    assert ALL.names is None


def test_a_queue_has_the_share_of_its_own_name_before_that_of_a_glob() -> None:
    selection = select({"email.*": 1, "email.in": 5, "*": 2})
    assert [selection.group_of(queue) for queue in ("email.in", "email.out", "slow")] == [1, 0, 2]
    assert select(["a"]).group_of("b") is None


def test_what_others_are_told_says_the_same() -> None:
    assert select(None).said is None
    assert select(None, ["slow"]).said == ["*", "!slow"]
    assert select({"a": 3, "b.*": 1}, ["b.c"]).said == ["a", "b.*", "!b.c"]
    assert select(["a", "b"], ["b"]).said == ["a"]


def test_nothing_left_is_refused() -> None:
    with pytest.raises(OptionError, match="exclude leaves out all of queues"):
        select(["mail", "mail.in"], ["mail*"])
