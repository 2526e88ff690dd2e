"""Interleavings built on purpose: one side runs in the background until it waits for a lock of the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from tests.factories import Conn
from tests.waiting import wait_until

T = TypeVar("T")


class Sides:
    """Runs calls beside the test, each on a connection of its own, and knows when they wait for a lock."""

    def __init__(self, observer: Conn) -> None:
        self._observer = observer
        self._pool = ThreadPoolExecutor()

    def blocked(self, conn: Conn, call: Callable[..., T], *args: Any) -> Future[T]:
        """Start `call(conn, *args)`, and return when it waits for a lock."""
        future = self._pool.submit(call, conn, *args)
        wait_until(lambda: self._waits(conn, future), message="the other side waits for a lock")
        return future

    def _waits(self, conn: Conn, future: Future[Any]) -> bool:
        assert not future.done(), f"it did not wait: {future.exception() or future.result()!r}"
        row = self._observer.execute("select pg_blocking_pids(%s) <> '{}'", [conn.info.backend_pid]).fetchone()
        return bool(row and row[0])

    def close(self) -> None:
        self._pool.shutdown()
