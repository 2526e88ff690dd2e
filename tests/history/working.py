"""Somebody who is at work while history is moved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from tests.factories import Conn
from tests.waiting import wait_until


@contextmanager
def at_work(dsn: str, step: Callable[[Conn], None]) -> Iterator[Callable[[int], None]]:
    """Take a step again and again, in a thread, on a connection of its own; what it raises fails the test.

    Some are taken before the block begins. What is yielded waits for so many more.
    """
    ended = threading.Event()
    faults: list[BaseException] = []
    steps: list[None] = []

    def work() -> None:
        try:
            with psycopg.connect(dsn, autocommit=True) as conn:
                while not ended.is_set():
                    steps.append(step(conn))
        except Exception as fault:
            faults.append(fault)

    def await_more(count: int) -> None:
        before = len(steps)
        wait_until(lambda: len(steps) > before + count or faults)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        await_more(5)
        yield await_more
    finally:
        ended.set()
        thread.join(30)
    assert [repr(fault) for fault in faults] == []
