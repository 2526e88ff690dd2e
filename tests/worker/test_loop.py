"""The loop of a role: who runs its ticks, and when."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.events import Event, Trouble
from pgqueue.worker.loop import Loop
from tests.waiting import wait_until
from tests.worker.running import NEVER

OWN = "pgqueue-test"


class Role:
    """Notes which thread ran each tick; `answer` is what a tick does and answers."""

    def __init__(self, dsn: str) -> None:
        self.threads: list[str] = []
        self.events: list[Event] = []
        self.answer: Callable[[], float] = lambda: NEVER
        self.loop = Loop("test", dsn, self._tick, self.events.append)

    def _tick(self, _conn: psycopg.Connection[Any]) -> float:
        self.threads.append(threading.current_thread().name)
        return self.answer()


@pytest.fixture
def role(dsn: str) -> Iterator[Role]:
    """A role whose loop has ticked once, and waits."""
    role = Role(dsn)
    role.loop.start()
    wait_until(lambda: role.threads == [OWN] and role.loop._waiting)
    yield role
    role.answer = lambda: NEVER
    assert role.loop.stop(5)


def test_a_loop_that_waits_is_turned_in_the_thread_that_asks(role: Role) -> None:
    role.answer = lambda: 2 * NEVER
    # The loop wakes by itself before that.
    assert role.loop.turn() == math.inf
    assert role.threads == [OWN, threading.current_thread().name]


def test_who_turns_a_loop_is_told_when_to_do_it_again(role: Role) -> None:
    role.answer = lambda: 0.5
    assert role.loop.turn() == 0.5


def test_a_loop_that_is_at_work_is_only_woken(role: Role) -> None:
    go_on = threading.Event()
    role.answer = lambda: NEVER if go_on.wait(5) else 0.0
    role.loop.wake()
    wait_until(lambda: len(role.threads) == 2)
    # At once, although a tick is under way.
    assert role.loop.turn() == math.inf
    go_on.set()
    wait_until(lambda: role.threads == [OWN] * 3)


def test_what_goes_wrong_in_the_thread_that_asks_is_met_again_by_the_loop(role: Role) -> None:
    def fail() -> float:
        raise ValueError("no such tick")

    role.answer = fail
    assert role.loop.turn() == math.inf
    wait_until(lambda: any(isinstance(event, Trouble) and "no such tick" in event.error for event in role.events))
    assert role.threads[1:] == [threading.current_thread().name, OWN]


def test_a_loop_without_a_connection_is_only_woken(dsn: str) -> None:
    role = Role(dsn)
    assert role.loop.turn() == math.inf
    assert role.threads == []


def test_a_loop_that_has_ended_is_turned_by_nobody(role: Role) -> None:
    assert role.loop.stop(5)
    assert role.loop.turn() == math.inf
    assert role.threads == [OWN]
