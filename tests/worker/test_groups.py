"""A group of exceptions that are all of one kind counts as that kind; others are plain failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pgqueue.outcome import Move, Settlement
from pgqueue.tasks import Modules
from pgqueue.worker.attempts.attempt import Attempts
from tests.worker import group_tasks
from tests.worker.claims import claim

TASKS = group_tasks.__name__


@pytest.fixture
def attempts(dsn: str) -> Iterator[Attempts]:
    runner = Attempts(dsn, Modules((TASKS,)), ())
    yield runner
    runner.close()


def settled(attempts: Attempts, name: str, *args: Any, **changes: Any) -> Settlement:
    return attempts.run(claim("", *args, target=f"{TASKS}:{name}", **changes)).settlement


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("names", "move", "reason"),
    [
        (["snooze"], Move.RELEASE, None),
        (["snooze", "snooze less"], Move.RELEASE, None),
        (["bury"], Move.END, "buried"),
        (["bury", "bury"], Move.END, "buried"),
        (["retry", "retry"], Move.RETRY, None),
        (["value"], Move.END, "not retried"),
        (["value", "key"], Move.END, "not retried"),
        (["disk"], Move.RELEASE, None),
        (["disk", "host"], Move.RELEASE, None),
        (["snooze", "bury"], Move.RETRY, None),
        (["snooze", "disk"], Move.RETRY, None),
        (["value", "disk"], Move.RETRY, None),
    ],
)
def test_a_group_of_one_kind_counts_as_that_kind(
    attempts: Attempts, names: list[str], move: Move, reason: str | None, nested: bool
) -> None:
    done = settled(attempts, "grouped", [names, names] if nested else names)
    assert (done.move, done.reason) == (move, reason)


def test_a_cancelled_group_is_cancelled(attempts: Attempts) -> None:
    done = settled(attempts, "grouped", ["cancel", "cancel"])
    assert (done.outcome, done.error) == ("cancelled", "not wanted")


def test_the_longest_of_several_delays_counts(attempts: Attempts) -> None:
    assert settled(attempts, "grouped", ["snooze less", "snooze"]).delay == 3600
    assert settled(attempts, "grouped", ["retry"]).delay == 77


def test_what_its_host_did_to_all_of_a_group_keeps_the_job_from_that_host(attempts: Attempts) -> None:
    done = settled(attempts, "grouped", ["disk", "disk"])
    assert done.avoid
    assert "No space left" in (done.traceback or "")


def test_a_group_that_a_plain_function_raises_counts_alike(attempts: Attempts) -> None:
    assert settled(attempts, "grouped_sync", ["bury"]).reason == "buried"
    assert settled(attempts, "grouped_sync", ["value", "value"]).reason == "not retried"
    assert settled(attempts, "grouped_sync", ["value", "snooze"]).move is Move.RETRY


def test_a_group_in_a_transaction_counts_alike(attempts: Attempts) -> None:
    assert settled(attempts, "grouped_in_transaction", ["snooze"]).move is Move.RELEASE
    assert settled(attempts, "grouped_in_transaction", [["bury"]]).reason == "buried"


def test_a_group_of_very_many_is_a_failure_and_ends(attempts: Attempts) -> None:
    assert settled(attempts, "grouped_sync", ["snooze"] * 5_000).move is Move.RETRY
