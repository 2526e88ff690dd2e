"""Time travel: within a block it is later for what waits. The server's clock stays as it is; the rows move.

On entry the ticks of schedules that lie between now and then enqueue their jobs, and all that waits is due sooner by
that much. What is enqueued or retried inside counts from the server's own time. On the way out what still waits, and
was not tried, goes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import psycopg

from pgqueue.cron import rule_of, ticks_after, zone_of
from pgqueue.database import address_of
from pgqueue.errors import OptionError, UsageError
from pgqueue.options import Duration, check_duration
from pgqueue.store import execute, schedules
from pgqueue.store.borrowed import over
from pgqueue.store.connection import AnyConnection, driver, driver_async, is_async, of_psycopg, open_connection
from pgqueue.store.schedules import ScheduleRow
from pgqueue.store.travelling import (
    Moved,
    bring_nearer,
    lengthen_sleeps,
    now,
    restore_windows,
    send_back,
    shorten_sleeps,
    shorten_windows,
)

# Schedules that are looked at, and ticks that are passed, at most.
MOST_SCHEDULES, MOST_TICKS = 1_000, 1_000


class time_travel:
    """`with time_travel(conn, hours=1): drain(conn)`; `async with` for async connections.

    For delays, backoff, ttl, `unique_for`, schedules, and what durable functions wait for; on a connection, in the
    transaction open there, or at a DSN. Rates of limits do not travel. Blocks inside each other add up. Raises
    OptionError for more than 1,000 ticks.
    """

    def __init__(
        self,
        where: str | AnyConnection,
        by: Duration = 0,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        check_duration("by", by, zero=True, infinite=False)
        first = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._by = first + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if self._by < timedelta():
            raise OptionError(f"time_travel goes forward, got {self._by}; leave the block to go back")
        self._where = where
        self._stack = ExitStack()
        self._conn: psycopg.Connection[Any] | None = None
        self._moved: list[Moved] = []
        self._windows: list[Moved] = []
        self._sleeps: list[tuple[UUID, str, str, datetime]] = []

    def __enter__(self) -> Self:
        where = self._where
        if isinstance(where, str):
            return self._begin(self._stack.enter_context(open_connection(address_of(where), "test")))
        if is_async(where):
            raise UsageError("`with time_travel()` takes no async connection; write `async with`")
        raw = of_psycopg(driver(where), "time_travel()")
        assert isinstance(raw, psycopg.Connection)
        return self._begin(raw)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    async def __aenter__(self) -> Self:
        if isinstance(self._where, str) or not is_async(self._where):
            return self.__enter__()
        raw = of_psycopg(await driver_async(self._where), "time_travel()")
        return self._begin(self._stack.enter_context(over(raw.pgconn)))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _begin(self, conn: psycopg.Connection[Any]) -> Self:
        global _elapsed
        # This begins the caller's transaction, if it has to be begun: the block below is no end of it.
        moment = execute(conn, now())
        with conn.transaction():
            self._pass_ticks(conn, moment + _elapsed, moment + _elapsed + self._by)
            self._moved = execute(conn, bring_nearer(self._by))
            self._windows = execute(conn, shorten_windows(self._by))
            self._sleeps = execute(conn, shorten_sleeps(self._by))
        self._conn = conn
        _elapsed += self._by
        return self

    def _end(self) -> None:
        global _elapsed
        conn, self._conn = self._conn, None
        if conn is None:
            return
        _elapsed -= self._by
        with self._stack:
            # A test that failed may have left the transaction aborted, and rolls it back.
            if conn.info.transaction_status is not psycopg.pq.TransactionStatus.INERROR:
                execute(conn, send_back(self._by, self._moved))
                execute(conn, restore_windows(self._by, self._windows))
                execute(conn, lengthen_sleeps(self._by, self._sleeps))

    def _pass_ticks(self, conn: psycopg.Connection[Any], after: datetime, until: datetime) -> None:
        """Enqueue what schedules would have, in the order of their ticks."""
        passed = sorted(
            (tick, row.name)
            for row in execute(conn, schedules.rows(MOST_SCHEDULES))
            if row.paused_by is None
            for tick in _ticks(row, after, until)
        )
        if len(passed) > MOST_TICKS:
            raise OptionError(
                f"{len(passed):,} ticks of schedules lie in {self._by}, and {MOST_TICKS:,} may; go less far"
            )
        for _, name in passed:
            execute(conn, schedules.run(name))


def _ticks(row: ScheduleRow, after: datetime, until: datetime) -> Iterator[datetime]:
    rule, zone = rule_of(row.cron, row.every), zone_of(row.timezone)
    # Those of `every` are counted from the last one.
    begin = row.last_at if row.every is not None else max(row.last_at, after)
    for number, tick in enumerate(ticks_after(rule, zone, begin.astimezone(UTC))):
        if tick > until or number > 10 * MOST_TICKS:
            return
        if tick > after:
            yield tick


# How far the blocks that are open have gone together.
_elapsed = timedelta()
