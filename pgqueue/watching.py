"""watch(): how a job goes on, each time that something of it changes, until it has ended.

Who watches listens, and holds shared advisory locks, so that workers tell only while somebody does. What no
notification tells, such as a start, a look finds that comes once a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, overload
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue.errors import JobNotFound, ResultTimeout, UsageError
from pgqueue.hearing import check_may_wait
from pgqueue.naming import JobRef, id_of
from pgqueue.options import Duration, check_duration
from pgqueue.record import Watched
from pgqueue.retry import seconds
from pgqueue.store import Statement, awaiting, execute, progress, wakeups
from pgqueue.store.connection import (
    AnyConnection,
    AsyncConnection,
    SyncConnection,
    driver,
    driver_async,
    is_async,
    of_psycopg,
)
from pgqueue.store.session import is_pooled, is_pooled_async
from pgqueue.store.statement import nothing, only_value

# Seconds between two looks; what is told is looked at when it is told, but no more often than that.
LOOK_EVERY, REST = 1.0, 0.05
# Seconds in which the last word of a job that has ended may still come.
LAST_WORD = 1.0
CHANNELS = (awaiting.CHANNEL, progress.CHANNEL)
_BEGIN: tuple[Statement[Any], ...] = (*map(wakeups.listen, CHANNELS), awaiting.follow(), progress.watched())
_END: tuple[Statement[Any], ...] = (
    progress.unwatched(),
    Statement("select pg_catalog.pg_advisory_unlock_shared(7703, 0)", (), only_value),
    *(Statement(f"unlisten {channel}", (), nothing) for channel in CHANNELS),
)


@overload
def watch(
    conn: SyncConnection, job_id: JobRef, timeout: Duration | None = None, *, inside_job: bool = False
) -> Iterator[Watched]: ...
@overload
def watch(
    conn: AsyncConnection, job_id: JobRef, timeout: Duration | None = None, *, inside_job: bool = False
) -> AsyncIterator[Watched]: ...
def watch(
    conn: AnyConnection, job_id: JobRef, timeout: Duration | None = None, *, inside_job: bool = False
) -> Iterator[Watched] | AsyncIterator[Watched]:
    """How a job is, and again each time that its state or its progress changes, until it has ended: iterate over it.

    Waits at most `timeout` (seconds or a timedelta; None: for ever). Until it ends, or is closed, the connection is its
    own: it must have no open transaction, and not lead through a pooler, where LISTEN does not work.

    Raises JobNotFound; ResultTimeout; UsageError for a connection that cannot be used, and inside a job, unless
    `inside_job` says that it may.
    """
    check_may_wait("watch()", inside_job)
    check_duration("timeout", timeout, zero=True, infinite=True)
    looks = _Looks(id_of(job_id), None if timeout is None else seconds(timeout))
    if is_async(conn):
        return _watch_async(conn, looks)
    raw = of_psycopg(driver(conn), "watch()")
    return _watch_async(raw, looks) if isinstance(raw, psycopg.AsyncConnection) else _watch(raw, looks)


class _Looks:
    """What has been seen of the job, and how long to wait for more."""

    def __init__(self, job_id: UUID, timeout: float | None) -> None:
        self.look = progress.seen(job_id)
        self.is_over = False
        self._job_id = job_id
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._last: Watched | None = None
        self._ended_at: float | None = None

    def is_news(self, seen: Watched | None) -> bool:
        """Whether something has changed. Raises JobNotFound."""
        if seen is None:
            raise JobNotFound(self._job_id)
        before, self._last = self._last, seen
        if seen.state.ended and self._ended_at is None:
            # What ended before anybody looked has said its last word.
            self._ended_at = time.monotonic() - (LAST_WORD if before is None else 0.0)
        if self._ended_at is not None:
            said_all = seen.progress is None or seen.progress.share == 1
            self.is_over = said_all or time.monotonic() >= self._ended_at + LAST_WORD
        return seen != before

    def until(self) -> float:
        """The time.monotonic() until which to wait for news, at most. Raises ResultTimeout."""
        now = time.monotonic()
        if self._ended_at is not None:
            return min(now + LOOK_EVERY, self._ended_at + LAST_WORD)
        if self._deadline is None:
            return now + LOOK_EVERY
        if now >= self._deadline:
            raise ResultTimeout(f"job {self._job_id} has not ended within {self._timeout} s; it goes on")
        return min(now + LOOK_EVERY, self._deadline)

    def concerns(self, payload: str) -> bool:
        """Whether a notification is about the job."""
        return str(self._job_id) in payload


def _watch(raw: psycopg.Connection[Any], looks: _Looks) -> Iterator[Watched]:
    with _listening(raw):
        while True:
            seen = execute(raw, looks.look)
            if looks.is_news(seen) and seen is not None:
                yield seen
            if looks.is_over:
                return
            until = looks.until()
            while (left := until - time.monotonic()) > 0:
                if any(map(looks.concerns, [told.payload for told in raw.notifies(timeout=left, stop_after=1)])):
                    time.sleep(REST)
                    break


async def _watch_async(conn: AsyncConnection, looks: _Looks) -> AsyncIterator[Watched]:
    raw = of_psycopg(await driver_async(conn), "watch()")
    assert isinstance(raw, psycopg.AsyncConnection)
    async with _listening_async(raw):
        while True:
            seen = await execute(raw, looks.look)
            if looks.is_news(seen) and seen is not None:
                yield seen
            if looks.is_over:
                return
            until = looks.until()
            while (left := until - time.monotonic()) > 0:
                if any(map(looks.concerns, [told.payload async for told in raw.notifies(timeout=left, stop_after=1)])):
                    await asyncio.sleep(REST)
                    break


@contextmanager
def _listening(raw: psycopg.Connection[Any]) -> Iterator[None]:
    _require_idle(raw)
    autocommit, listens = raw.autocommit, False
    try:
        raw.autocommit = True
        _require_direct(is_pooled(raw))
        listens = True
        for statement in _BEGIN:
            execute(raw, statement)
        yield
    finally:
        if not raw.closed:
            for statement in _END if listens else ():
                execute(raw, statement)
            raw.autocommit = autocommit


@asynccontextmanager
async def _listening_async(raw: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    _require_idle(raw)
    autocommit, listens = raw.autocommit, False
    try:
        await raw.set_autocommit(True)
        _require_direct(await is_pooled_async(raw))
        listens = True
        for statement in _BEGIN:
            await execute(raw, statement)
        yield
    finally:
        if not raw.closed:
            for statement in _END if listens else ():
                await execute(raw, statement)
            await raw.set_autocommit(autocommit)


def _require_idle(raw: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    if raw.info.transaction_status != TransactionStatus.IDLE:
        raise UsageError(
            "watch() needs a connection without an open transaction, which would see no news; commit first"
        )


def _require_direct(pooled: bool) -> None:
    if pooled:
        raise UsageError(
            "watch() listens, which does not work through the pooler that the connection leads to; give it a direct one"
        )
