"""What @task(...) takes of fallbacks, and what it refuses before any job exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pgqueue.errors import OptionError
from pgqueue.judge import Fallback
from pgqueue.tasks import Task, task
from pgqueue.tasks.registry import known

HERE = __name__


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Tasks that a test declares are known to no other."""
    before = dict(known)
    yield
    known.clear()
    known.update(before)


def first() -> None: ...
def second() -> None: ...
def third() -> None: ...


def test_a_fallback_is_named_as_any_target_is() -> None:
    assert task(fallback="shop.naive:send")(first).terms.fallback == Fallback(
        "shop.naive:send", None, ("failed", "timeout", "crashed")
    )
    naive = task(second)
    assert task(fallback=naive, fallback_after=2, fallback_on=["lost", "failed"])(third).terms.fallback == Fallback(
        f"{HERE}:second", 2, ("failed", "lost")
    )
    assert task(fallback="human")(first).using(priority=9).terms.fallback is not None
    assert task(first).terms.fallback is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"fallback": "Human"}, "fallback must be 'human' or a task: target must read 'module:function'"),
        ({"fallback": lambda: None}, "fallback must be 'human' or a task: a lambda"),
        ({"fallback_after": 2}, "say when a fallback comes, and the task has none"),
        ({"fallback_on": ("failed",)}, "say when a fallback comes, and the task has none"),
        ({"fallback": "human", "fallback_after": 0}, "fallback_after must be"),
        ({"fallback": "human", "fallback_on": "failed"}, "fallback_on must be outcomes such as"),
        ({"fallback": "human", "fallback_on": ()}, "fallback_on must be outcomes such as"),
        (
            {"fallback": "human", "fallback_on": ("dead",)},
            "fallback_on takes failed, timeout, crashed, lost, got 'dead'",
        ),
        ({"fallback": "a:b", "at_most_once": True}, "may run at most once, and a:b would be a second time"),
        ({"fallback": f"{HERE}:first"}, f"in a circle: {HERE}:first -> {HERE}:first"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_said(said: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        task(**said)(first)


def test_what_may_run_at_most_once_may_wait_for_a_human() -> None:
    assert task(fallback="human", at_most_once=True)(first).terms.at_most_once


def test_a_circle_is_refused_by_whoever_closes_it() -> None:
    task(fallback=f"{HERE}:second")(first)
    task(fallback=f"{HERE}:third")(second)
    with pytest.raises(OptionError, match=f"{HERE}:third -> {HERE}:first -> {HERE}:second -> {HERE}:third"):
        task(fallback=f"{HERE}:first")(third)
    assert f"{HERE}:third" not in known


def test_a_chain_ends_somewhere() -> None:
    def chained(n: int) -> Task[[], None]:
        def link() -> None: ...

        link.__name__ = link.__qualname__ = f"link{n}"
        return task(fallback=f"{HERE}:link{n + 1}")(link)

    for n in range(7, 0, -1):
        chained(n)
    with pytest.raises(OptionError, match="at most 8 tasks may follow each other"):
        chained(0)
