"""Connections on which no wait is endless: the deadline is our own, whatever network and keepalives believe.

A link can go silent and stay open, as behind a proxy that died or a firewall that forgot it; then nobody but a clock
here can tell. A statement without an answer at its deadline breaks the connection: the reply counts as lost.
See docs/design/deadlines.md.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.pq.abc import PGconn

T = TypeVar("T")
# What psycopg gives to wait(): it yields what to wait for, and is sent what came, 0 after an interval of nothing.
Waiting = Generator[Any, Any, T]

# A session of ours waits for nothing longer than this, unless its role says otherwise.
DEADLINE_SECONDS = 30.0


class PunctualConnection(psycopg.Connection[Any]):
    """As psycopg's; `deadline` bounds each wait for the server in seconds, None is for what a user's code does."""

    deadline: float | None = DEADLINE_SECONDS

    def wait(self, gen: Waiting[T], *args: Any, **kwargs: Any) -> T:
        """Wait for an answer. Raises OperationalError at the deadline, with the connection closed."""
        return super().wait(_until(gen, self.pgconn, self.deadline), *args, **kwargs)


class PunctualAsyncConnection(psycopg.AsyncConnection[Any]):
    """As PunctualConnection, for coroutines."""

    deadline: float | None = DEADLINE_SECONDS

    async def wait(self, gen: Waiting[T], *args: Any, **kwargs: Any) -> T:
        """As PunctualConnection.wait()."""
        return await super().wait(_until(gen, self.pgconn, self.deadline), *args, **kwargs)


def _until(gen: Waiting[T], pgconn: PGconn, seconds: float | None) -> Waiting[T]:
    if seconds is None:
        return (yield from gen)
    ends_at = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() >= ends_at:
                # Sends nothing that could block: the socket is a non-blocking one.
                pgconn.finish()
                raise psycopg.OperationalError(f"no answer within {seconds:g} s, and no sign that the connection lives")
            wanted = gen.send(ready)
    except StopIteration as done:
        answer: T = done.value
        return answer
