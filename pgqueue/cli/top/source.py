"""The one connection of `top`, used by one thread, opened anew where it was lost; and how often to look."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.connection import open_connection
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.session import take_any_text

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
# A look that took longer is followed by a longer pause, seconds: as the dashboard's.
SLOW, SLOW_PAUSE = 0.2, 5.0
VERY_SLOW, VERY_SLOW_PAUSE = 0.8, 30.0


def pause_after(took: float, usual: float) -> float:
    """Seconds until the next look, by how long the last one took."""
    if took > VERY_SLOW:
        return max(usual, VERY_SLOW_PAUSE)
    return max(usual, SLOW_PAUSE) if took > SLOW else usual


class Source:
    """Asks one question after the other, beside the screen's event loop."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pgqueue top")
        self._conn: psycopg.Connection[Any] | None = None
        # How long the last question took, seconds.
        self.took = 0.0

    async def ask(self, question: Callable[[psycopg.Connection[Any]], T]) -> T:
        """What `question` answers. Raises our own errors: DatabaseUnreachable, ..."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question)

    def close(self) -> None:
        """Close the connection."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True, cancel_futures=False)

    def _ask(self, question: Callable[[psycopg.Connection[Any]], T]) -> T:
        began = time.monotonic()
        try:
            with diagnosed():
                return question(self._opened())
        except DatabaseUnreachable:
            self._close()
            raise
        finally:
            self.took = time.monotonic() - began

    def _opened(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = open_connection(self._dsn, "cli", deadline=10.0)
            take_any_text(self._conn)
        return self._conn

    def _close(self) -> None:
        if self._conn is not None:
            with contextlib.suppress(Exception):
                self._conn.close()
        self._conn = None
