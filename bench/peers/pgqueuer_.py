"""pgqueuer, on asyncpg or on psycopg as its first argument says.

Settings: its guide "Performance Tuning" says to raise `batch_size` (10 by default) for short jobs, to run `pgq autovac`
after the installation, and to give the QueueManager one direct connection; the command line runs on uvloop, and so do
we. Its tables stay `durable`. Ended jobs leave its queue and are kept in its log.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import timedelta

import uvloop
from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from adapter.settle import count
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver, PsycopgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = 100
STORE = "BENCH_STORE"
Jobs = tuple[list[str], list[bytes | None], list[int]]


async def driver(kind: str, store: str) -> AsyncpgDriver | PsycopgDriver:
    """The driver over one connection of its own."""
    if kind == "asyncpg":
        import asyncpg  # one of the two drivers is enough
        from psycopg.conninfo import conninfo_to_dict

        named = conninfo_to_dict(store)
        names = {"dbname": "database"}
        return AsyncpgDriver(await asyncpg.connect(**{names.get(key, key): value for key, value in named.items()}))
    import psycopg  # the other

    return PsycopgDriver(await psycopg.AsyncConnection.connect(store, autocommit=True))


class Pgqueuer:
    """The producer and the books."""

    package = "pgqueuer"

    def __init__(self, kind: str) -> None:
        self._kind = kind

    async def create(self, store: str) -> None:
        queries = Queries(await driver("psycopg", store))
        await queries.install()
        await queries.optimize_autovacuum()

    async def open(self, store: str) -> None:
        self._store = os.environ[STORE] = store
        self._queries = Queries(await driver(self._kind, store))

    async def enqueue(self, task: Task, number: int) -> None:
        await self._queries.enqueue(task, payload(number))

    def prepared(self, numbers: Sequence[int]) -> Jobs:
        return ["nothing"] * len(numbers), [payload(number) for number in numbers], [0] * len(numbers)

    async def enqueue_all(self, prepared: Jobs) -> None:
        await self._queries.enqueue(*prepared)

    async def close(self) -> None:
        """Its connection ends with the process."""

    def worker(self) -> list[str]:
        return [sys.executable, __file__, self._kind, "work"]

    def left(self) -> int:
        return count(self._store, "select count(*) from pgqueuer")


def payload(number: int) -> bytes:
    """The arguments as JSON, which is the caller's affair in pgqueuer."""
    return json.dumps({"n": number}).encode()


async def work(kind: str) -> None:
    """The worker process."""
    manager = PgQueuer(await driver(kind, os.environ[STORE]))

    @manager.entrypoint("nothing")
    async def nothing(job: Job) -> None:
        await tasks.nothing_async(**json.loads(job.payload or b"{}"))

    @manager.entrypoint("report")
    async def report(job: Job) -> None:
        await tasks.report_async(**json.loads(job.payload or b"{}"))

    await manager.run(batch_size=BATCH, dequeue_timeout=timedelta(seconds=30))


if __name__ == "__main__":
    kind = sys.argv[1]
    uvloop.run(work(kind) if sys.argv[2:] == ["work"] else serve(Pgqueuer(kind)))
