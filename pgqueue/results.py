"""result(): wait until a job has ended and answer what it returned.

Who waits listens on the channel `pgqueue_ended` and holds a shared advisory lock, so that workers notify only while
somebody waits. Inside an open transaction LISTEN would do nothing, and behind a pooler it would be another's, so there
it polls.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Iterator
from typing import Any, overload
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue.context import running
from pgqueue.errors import JobFailed, JobNotFound, ResultTimeout, UsageError
from pgqueue.job import JobState
from pgqueue.naming import JobRef, id_of
from pgqueue.options import Duration, check_duration
from pgqueue.record import Attempt, Job
from pgqueue.retry import seconds
from pgqueue.store import Statement, execute, reading
from pgqueue.store.asking import TOLD, telling, told
from pgqueue.store.connection import (
    AnyConnection,
    AsyncConnection,
    SyncConnection,
    awaited,
    driver,
    driver_async,
    is_async,
)
from pgqueue.store.session import is_pooled, is_pooled_async
from pgqueue.store.statement import only_value

LISTEN = "listen pgqueue_ended"
# Not waited for: who keeps it to himself has everybody notified, too.
LOCK = "select pg_catalog.pg_try_advisory_lock_shared(7703, 0)"
UNLOCK = "select pg_catalog.pg_advisory_unlock_shared(7703, 0)"
UNLISTEN = "unlisten pgqueue_ended"
# Seconds between two looks: with LISTEN only the safety net, without it the pace.
LISTEN_POLL = 1.0
FIRST_POLL, LAST_POLL = 0.01, 0.25

# Attempts among which the last traceback is looked for.
LOOKED_AT = 100


@overload
def result(conn: SyncConnection, job_id: JobRef, timeout: Duration | None = None) -> Any: ...
@overload
def result(conn: AsyncConnection, job_id: JobRef, timeout: Duration | None = None) -> Awaitable[Any]: ...
def result(conn: AnyConnection, job_id: JobRef, timeout: Duration | None = None) -> Any:
    """What a job returned, waiting until it has ended, at most `timeout` (seconds or a timedelta; None: for ever).

    None if the task returned None, or the result was not asked for (`store_result`) or has expired (after a day).
    Use a connection without an open transaction: then it is woken at once; in a transaction it polls.

    Raises JobFailed, with the remote traceback, if the job is dead or cancelled; JobNotFound; ResultTimeout;
    UsageError inside a job, whose slot would wait for another slot, and in a transaction that cannot see it end.
    """
    if running.get() is not None:
        raise UsageError("result() inside a job would hold its slot while it waits; enqueue the next step as a job")
    check_duration("timeout", timeout, zero=True, infinite=True)
    wanted, limit = id_of(job_id), None if timeout is None else seconds(timeout)
    if is_async(conn):
        return telling(_result_async(conn, wanted, limit))
    raw = driver(conn)
    if isinstance(raw, psycopg.AsyncConnection):
        return awaited(telling(_result_async(raw, wanted, limit)))
    try:
        return _result(raw, wanted, limit)
    except TOLD as error:
        raise told(error) from error


def _result(raw: psycopg.Connection[Any], job_id: UUID, timeout: float | None) -> Any:
    idle = raw.info.transaction_status == TransactionStatus.IDLE
    autocommit, prepare_threshold = raw.autocommit, raw.prepare_threshold
    listens = False
    try:
        if idle:
            raw.autocommit = True
            listens = not is_pooled(raw)
        else:
            _check_isolation(execute(raw, _ISOLATION))
        if listens:
            raw.execute(LISTEN)
            raw.execute(LOCK)
        else:
            raw.prepare_threshold = None
        for pause in _pauses(job_id, timeout, listens):
            job = execute(raw, reading.get(job_id))
            if _ended(job, job_id):
                return _answer(job, execute(raw, reading.result(job_id)), execute(raw, _last_attempts(job_id)))
            if listens:
                for _ in raw.notifies(timeout=pause, stop_after=1):
                    continue
            else:
                time.sleep(pause)
    finally:
        if listens and not raw.closed:
            raw.execute(UNLOCK)
            raw.execute(UNLISTEN)
        if idle and not raw.closed:
            raw.autocommit = autocommit
        raw.prepare_threshold = prepare_threshold


async def _result_async(conn: AsyncConnection, job_id: UUID, timeout: float | None) -> Any:
    raw = await driver_async(conn)
    idle = raw.info.transaction_status == TransactionStatus.IDLE
    autocommit, prepare_threshold = raw.autocommit, raw.prepare_threshold
    listens = False
    try:
        if idle:
            await raw.set_autocommit(True)
            listens = not await is_pooled_async(raw)
        else:
            _check_isolation(await execute(raw, _ISOLATION))
        if listens:
            await raw.execute(LISTEN)
            await raw.execute(LOCK)
        else:
            raw.prepare_threshold = None
        for pause in _pauses(job_id, timeout, listens):
            job = await execute(raw, reading.get(job_id))
            if _ended(job, job_id):
                stored = await execute(raw, reading.result(job_id))
                return _answer(job, stored, await execute(raw, _last_attempts(job_id)))
            if listens:
                async for _ in raw.notifies(timeout=pause, stop_after=1):
                    continue
            else:
                await asyncio.sleep(pause)
    finally:
        if listens and not raw.closed:
            await raw.execute(UNLOCK)
            await raw.execute(UNLISTEN)
        if idle and not raw.closed:
            await raw.set_autocommit(autocommit)
        raw.prepare_threshold = prepare_threshold


def _pauses(job_id: UUID, timeout: float | None, listens: bool) -> Iterator[float]:
    """How long to wait after each look; raises ResultTimeout when the time is over."""
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = LISTEN_POLL if listens else FIRST_POLL
    while True:
        left = math.inf if deadline is None else deadline - time.monotonic()
        yield max(0.0, min(pause, left))
        # Only after a look that came when the time was over: what ended during the last pause has ended in time.
        if left <= 0:
            raise ResultTimeout(f"job {job_id} has not ended within {timeout} s; it goes on")
        pause = pause if listens else min(LAST_POLL, pause * 2)


def _ended(job: Job | None, job_id: UUID) -> bool:
    if job is None:
        raise JobNotFound(job_id)
    return job.state.ended


def _last_attempts(job_id: UUID) -> Statement[list[Attempt]]:
    return reading.attempts(job_id, LOOKED_AT)


def _answer(job: Job | None, stored: tuple[bool, Any], attempts: list[Any]) -> Any:
    assert job is not None
    if job.state is JobState.SUCCEEDED:
        return stored[1]
    traceback = next((attempt.traceback for attempt in reversed(attempts) if attempt.traceback), None)
    raise JobFailed(job.id, job.state, job.reason, traceback)


def _check_isolation(level: str) -> None:
    if level != "read committed":
        raise UsageError(f"result() cannot see the job end inside this {level} transaction; commit it first")


_ISOLATION: Statement[str] = Statement("show transaction_isolation", (), only_value)
