"""`python -m bench.waiting`: a thousand who wait for jobs, woken or asking, by turns: how late they know, at what cost.

All wait in one process, as tasks of one event loop that share a few connections, each for a job of its own. The jobs
end one after the other, each in a transaction. Who asks does so after 10 ms, then after twice as long, up to 250 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from uuid import UUID

import psycopg

import pgqueue
from pgqueue.bench.server import durable_server
from pgqueue.bench.site import Conn
from pgqueue.job import Claim
from pgqueue.migrate import migrate
from pgqueue.outcome import Move, Settlement
from pgqueue.store import enqueueing, execute, jobs, workers
from pgqueue.store.jobs import Slot

WAITERS, ROUNDS, CONNECTIONS = 1_000, 3, 4
# Seconds between two ends, and before the first: all wait then.
SPACING, SETTLE = 0.005, 6.0
FIRST_PAUSE, LAST_PAUSE = 0.01, 0.25
WANTED = 10.0
WORKER = 1
Async = psycopg.AsyncConnection[tuple[object, ...]]
Wait = Callable[[Async, UUID], Awaitable[object]]
_BEGINNING, _FIRST = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)
_COMMITS = "select xact_commit from pg_stat_database where datname = current_database()"


@dataclass(frozen=True, slots=True)
class Round:
    """How many seconds after its job each knew, and transactions of the database for each of them."""

    late: Sequence[float]
    transactions: float

    @property
    def said(self) -> str:
        """For people."""
        last = quantiles(self.late, n=100)[98]
        late = f"median {median(self.late) * 1000:7.2f} ms  p99 {last * 1000:7.2f} ms"
        return f"{late}  {self.transactions:6.1f} transactions each"


async def woken(conn: Async, job: UUID) -> object:
    """As pgqueue waits."""
    return await pgqueue.result(conn, job, timeout=300)


async def asking(conn: Async, job: UUID) -> object:
    """As one would without being told."""
    pause = FIRST_PAUSE
    while not (await pgqueue.get_job(conn, job)).state.ended:
        await asyncio.sleep(pause)
        pause = min(2 * pause, LAST_PAUSE)
    return None


def main() -> None:
    """Measure, and print the ratio of each round."""
    options = argparse.ArgumentParser(prog="python -m bench.waiting", description=__doc__)
    options.add_argument("--waiters", type=int, default=WAITERS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    given = options.parse_args()
    ratios = []
    with durable_server() as server:
        dsn = server.dsn()
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            execute(conn, workers.enlist(WORKER, "bench", 1, None, "thread", 1, timedelta(hours=1)))
            for number in range(given.rounds):
                found = {}
                for wait in (woken, asking) if number % 2 else (asking, woken):
                    found[wait] = asyncio.run(_round(dsn, conn, wait, given.waiters))
                    print(f"{wait.__name__:7} {found[wait].said}", flush=True)
                ratios.append(median(found[asking].late) / median(found[woken].late))
                print(f"        asking knows {ratios[-1]:.1f} times as late")
    print(f"median ratio {median(ratios):.1f} (wanted ≥ {WANTED:g})")
    sys.exit(0 if median(ratios) >= WANTED else 1)


async def _round(dsn: str, conn: Conn, wait: Wait, waiters: int) -> Round:
    taken = _taken(conn, waiters)
    knew: dict[UUID, float] = {}

    async def waiting(shared: Async, job: UUID) -> None:
        await wait(shared, job)
        knew[job] = time.perf_counter()

    shared = [await psycopg.AsyncConnection.connect(dsn, autocommit=True) for _ in range(CONNECTIONS)]
    before = _commits(conn)
    tasks = [asyncio.create_task(waiting(shared[n % CONNECTIONS], claim.id)) for n, claim in enumerate(taken)]
    await asyncio.sleep(SETTLE)
    with ThreadPoolExecutor(1) as pool:
        ended = await asyncio.get_running_loop().run_in_executor(pool, _end, dsn, taken)
    await asyncio.gather(*tasks)
    for each in shared:
        await each.close()
    # Sessions tell their numbers when they have been idle for a second.
    await asyncio.sleep(1.5)
    transactions = (_commits(conn) - before - waiters) / waiters
    return Round([max(0.0, knew[job] - at) for job, at in ended.items()], transactions)


def _taken(conn: Conn, count: int) -> list[Claim]:
    execute(conn, enqueueing.enqueue_many([pgqueue.NewJob("bench:wait") for _ in range(count)]))
    slots = [Slot("default", 5, _BEGINNING, _FIRST)]
    found: list[Claim] = []
    while len(found) < count:
        found += execute(conn, jobs.step(WORKER, [], slots, timedelta(0), 500)).claims
    return found


def _end(dsn: str, taken: Sequence[Claim]) -> dict[UUID, float]:
    """End one job after the other; answers when each was committed."""
    ended = {}
    with psycopg.connect(dsn, autocommit=True) as conn:
        for claim in taken:
            done = Settlement(claim.id, claim.claim, Move.SUCCEED, "succeeded")
            execute(conn, jobs.step(WORKER, [done], [], timedelta(0), 0))
            ended[claim.id] = time.perf_counter()
            time.sleep(SPACING)
    return ended


def _commits(conn: Conn) -> int:
    (found,) = conn.execute(_COMMITS).fetchone() or (0,)
    return int(found)


if __name__ == "__main__":
    main()
