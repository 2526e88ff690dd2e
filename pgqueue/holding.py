"""limit(): a share of a limit for code outside jobs, held as jobs hold theirs.

The share is a row with a lease. It must be seen by others at once, so it is taken in a transaction of its own, and who
has one open is refused. While no share is free it looks again: when the database says, or after 10, 20 ms ... 1 s.
"""

from __future__ import annotations

import asyncio
import random
import time
from types import TracebackType
from typing import Any, Self, TypeVar

from psycopg.pq import TransactionStatus

from pgqueue.errors import LeaseLost, LimitReached, UsageError
from pgqueue.options import Duration, check_duration, check_integer, check_name
from pgqueue.rate import MOST_STARTS
from pgqueue.retry import seconds
from pgqueue.store import execute, holding
from pgqueue.store.connection import ASYNC, AnyConnection, AsyncDriver, Driver, driver, driver_async, is_async
from pgqueue.store.holding import Share
from pgqueue.store.meaning import TOLD, told
from pgqueue.store.statement import Statement

T = TypeVar("T")
# Seconds a block may take, if it does not say.
TIMEOUT = 60.0
# Seconds between two looks while nothing is known of when a share comes back.
FIRST_PAUSE, LAST_PAUSE = 0.01, 1.0


def limit(
    conn: AnyConnection, key: str, *, wait: Duration | None = None, timeout: Duration = TIMEOUT, cost: int = 1
) -> Holding:
    """Hold a share of a limit key while a block runs: `with pgqueue.limit(conn, "stripe"):`, or `async with`.

    It counts as a job of that key does, towards its concurrency and its rate. Waits for it at most `wait` (seconds or a
    timedelta; None: for ever, 0: not at all). `timeout` bounds the block: after it the share is another's, also when
    this process was killed. `conn` has no transaction open when the block begins.

    Raises LimitReached if there was none in time; LeaseLost at the end of a block that took longer than `timeout`.
    """
    if key is None:
        raise UsageError("limit() needs a limit key, got None")
    check_name("key", key)
    check_duration("wait", wait, zero=True, infinite=True)
    check_duration("timeout", timeout, zero=False, infinite=False)
    check_integer("cost", cost, 1, MOST_STARTS)
    return Holding(conn, key, None if wait is None else seconds(wait), seconds(timeout), cost)


class Holding:
    """A share that is held while the block runs; see limit()."""

    def __init__(self, conn: AnyConnection, key: str, wait: float | None, timeout: float, cost: int) -> None:
        self._conn = conn
        self._key = key
        self._wait = wait
        self._timeout = timeout
        self._take = holding.take(key, timeout, cost)
        self._number = 0

    def __enter__(self) -> Self:
        raw = None if is_async(self._conn) else driver(self._conn)
        if raw is None or isinstance(raw, ASYNC):
            raise UsageError("this connection is async; write `async with pgqueue.limit(conn, ...):`")
        _check_idle(raw)
        pauses = _Pauses(self._wait)
        while (share := _alone(raw, self._take)).number is None:
            if not pauses.left():
                raise self._reached()
            time.sleep(pauses.next(share))
        self._number = share.number
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raw: Any = driver(self._conn)
        if _can_say(raw):
            self._check_kept(_alone(raw, holding.give_back(self._key, self._number)), error)

    async def __aenter__(self) -> Self:
        if not is_async(self._conn):
            raise UsageError("this connection is not async; write `with pgqueue.limit(conn, ...):`")
        raw = await driver_async(self._conn)
        _check_idle(raw)
        pauses = _Pauses(self._wait)
        while (share := await _alone_async(raw, self._take)).number is None:
            if not pauses.left():
                raise self._reached()
            await asyncio.sleep(pauses.next(share))
        self._number = share.number
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raw = await driver_async(self._conn)  # type: ignore[arg-type]  # it is async: see above
        if _can_say(raw):
            self._check_kept(await _alone_async(raw, holding.give_back(self._key, self._number)), error)

    def _reached(self) -> LimitReached:
        return LimitReached(f"the limit {self._key!r} had no share free within {self._wait or 0:g} s; others have them")

    def _check_kept(self, kept: bool, error: BaseException | None) -> None:
        if not kept and error is None:
            raise LeaseLost(
                f"the block took longer than its timeout of {self._timeout:g} s, so that its share of the limit"
                f" {self._key!r} may have been another's, too; give limit() a longer timeout"
            )


class _Pauses:
    """How long to wait between two looks, and when it is enough."""

    def __init__(self, wait: float | None) -> None:
        self._until = None if wait is None else time.monotonic() + wait
        self._pause = FIRST_PAUSE

    def left(self) -> bool:
        """Whether there is time for another look."""
        return self._until is None or time.monotonic() < self._until

    def next(self, share: Share) -> float:
        """Seconds until the next look: no later than the last that comes in time."""
        pause = self._pause * random.uniform(0.5, 1.0)
        if share.again_in is not None and share.again_in > 0:
            pause = min(pause, share.again_in)
        self._pause = min(2 * self._pause, LAST_PAUSE)
        return pause if self._until is None else max(0.0, min(pause, self._until - time.monotonic()))


def _check_idle(raw: Driver | AsyncDriver) -> None:
    if raw.info.transaction_status != TransactionStatus.IDLE:
        raise UsageError(
            "limit() on a connection with an open transaction: nobody could see that the share is taken; commit before"
            " the block, or give it a connection of its own"
        )


def _can_say(raw: Driver | AsyncDriver) -> bool:
    """Whether the share can be given back now; else it comes back with its lease."""
    return raw.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS)


def _alone(raw: Driver, statement: Statement[T]) -> T:
    """Run a statement in a transaction of its own, or in the one that the block has left open."""
    idle, autocommit = raw.info.transaction_status == TransactionStatus.IDLE, raw.autocommit
    try:
        if idle:
            raw.autocommit = True
        return execute(raw, statement)
    except TOLD as error:
        raise told(error) from error
    finally:
        if idle and not raw.closed:
            raw.autocommit = autocommit


async def _alone_async(raw: AsyncDriver, statement: Statement[T]) -> T:
    idle, autocommit = raw.info.transaction_status == TransactionStatus.IDLE, raw.autocommit
    try:
        if idle:
            await raw.set_autocommit(True)
        return await execute(raw, statement)
    except TOLD as error:
        raise told(error) from error
    finally:
        if idle and not raw.closed:
            await raw.set_autocommit(autocommit)
