"""until_ended(): the one way in which everybody waits for jobs, on whichever connection.

Who waits is known to the ears of the process before it looks at its jobs; so an end is seen, or heard. It looks on its
own connection, which sees what its transaction sees and is free between two looks.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from psycopg.pq import TransactionStatus

from pgqueue.context import running
from pgqueue.errors import UsageError
from pgqueue.hearing.deaf import Deaf
from pgqueue.hearing.ears import Ears
from pgqueue.hearing.process import ears_of
from pgqueue.hearing.waiter import Waiter
from pgqueue.store import awaiting
from pgqueue.store.alone import execute_alone
from pgqueue.store.awaiting import MOST_JOBS, Standing
from pgqueue.store.connection import ASYNC, AsyncDriver, Driver
from pgqueue.store.statement import Statement
from pgqueue.store.sync_or_async import answer

# Seconds after which one looks unasked, if nothing was heard: the ears themselves may hang.
SAFETY = 10.0
# For each second of looking so many without.
REST = 9.0

Raw: TypeAlias = Driver | AsyncDriver


async def until_ended(
    conn: Raw, ids: Sequence[UUID], timeout: float | None, *, caller: str, first: bool = False
) -> dict[UUID, Standing]:
    """What became of jobs, once all of them have ended, or the `first`; or as it is after `timeout` seconds.

    Each is looked at once more when that is over. Raises UsageError in a transaction that cannot see a job end.
    """
    await check_isolation(conn, caller)
    wait = _Wait(conn, ids, first)
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        wanted = list(wait.pending)
        while True:
            # Before the look: what it sees is as of this moment or later.
            left = float("inf") if deadline is None else deadline - time.monotonic()
            await wait.look(wait.pending if left <= 0 else wanted)
            if wait.is_over or left <= 0:
                return wait.found
            wanted = await wait.news(left)
    finally:
        wait.end()


class _Wait:
    """Which jobs have not ended yet, and what is known of those that have."""

    def __init__(self, conn: Raw, ids: Sequence[UUID], first: bool) -> None:
        self.found: dict[UUID, Standing] = {}
        self.pending: dict[UUID, None] = dict.fromkeys(ids)
        self._conn = conn
        self._first = first
        loop = asyncio.get_running_loop() if isinstance(conn, ASYNC) else None
        self._waiter = Waiter([str(each) for each in self.pending], every=not first, loop=loop)
        self._ears: Ears | Deaf = ears_of(conn)
        self._ears.add(self._waiter)
        self._look_at = 0.0

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return not self.pending or (self._first and any(each.ended for each in self.found.values()))

    async def look(self, wanted: Sequence[UUID] | dict[UUID, None]) -> None:
        """See what became of these."""
        ids, begun, all_of_them = list(wanted), time.monotonic(), len(wanted) >= len(self.pending)
        for start in range(0, len(ids), MOST_JOBS):
            seen = await self._ask(awaiting.standings(ids[start : start + MOST_JOBS]))
            self.found.update((each.id, each) for each in seen)
            ended = [each.id for each in seen if each.ended]
            if ended:
                self._ears.remove(self._waiter, [str(each) for each in ended])
            for job_id in ended:
                self.pending.pop(job_id, None)
        if all_of_them:
            now = time.monotonic()
            self._look_at = now + max(SAFETY * random.uniform(0.8, 1.0), REST * (now - begun))

    async def news(self, left: float) -> list[UUID]:
        """The jobs to look at next, within so many seconds: at least one, or all that are left."""
        ends_at = time.monotonic() + left
        while (now := time.monotonic()) < min(ends_at, self._look_at):
            hears = self._ears.begin(self._conn)
            pause = min(ends_at, self._look_at) - now
            if not hears or len(self.pending) > 1 or running.get() is not None:
                pause = min(pause, self._ears.pace)
            await self._waiter.wait(pause)
            if heard := self._ears.take(self._waiter):
                return [UUID(each) for each in heard]
            if not hears:
                break
        return list(self.pending)

    def end(self) -> None:
        """Wait for nothing any more."""
        self._ears.remove(self._waiter, [str(each) for each in self.pending])

    async def _ask(self, statement: Statement[list[Standing]]) -> list[Standing]:
        found: list[Standing] = await answer(execute_alone(self._conn, statement))
        return found


async def check_isolation(conn: Raw, caller: str) -> None:
    """Raise UsageError in a transaction that cannot see anything end."""
    if conn.info.transaction_status != TransactionStatus.INTRANS:
        return
    level = await answer(execute_alone(conn, awaiting.isolation()))
    if level != "read committed":
        raise UsageError(f"{caller} cannot see the job end inside this {level} transaction; commit it first")
