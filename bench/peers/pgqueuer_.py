"""pgqueuer, on asyncpg or on psycopg as its first argument says.

Settings: its guide "Performance Tuning" says to raise `batch_size` (10 by default) for short jobs, to run `pgq autovac`
after the installation, and to give the QueueManager one direct connection; a sweep tries a pool, too. Its command line
runs on uvloop, and so do we. Its tables stay `durable`. Ended jobs leave its queue and are kept in its log.
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
from adapter.settings import setting
from adapter.settle import count
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver, PsycopgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from psycopg.conninfo import conninfo_to_dict

STORE = "BENCH_STORE"
Jobs = tuple[list[str], list[bytes | None], list[int]]


async def driver(kind: str, store: str) -> AsyncpgDriver | PsycopgDriver:
    """The driver over one connection of its own."""
    if kind == "asyncpg":
        import asyncpg  # one of the two drivers is enough

        return AsyncpgDriver(await asyncpg.connect(**_words(store)))
    import psycopg  # the other

    return PsycopgDriver(await psycopg.AsyncConnection.connect(store, autocommit=True))


async def working_driver(kind: str, store: str) -> AsyncpgDriver | AsyncpgPoolDriver | PsycopgDriver:
    """The driver of a worker: over a pool, where one is asked for and there is a driver for it."""
    size = setting("pool", 0)
    if kind != "asyncpg" or not size:
        return await driver(kind, store)
    import asyncpg  # one of the two drivers is enough

    return AsyncpgPoolDriver(await asyncpg.create_pool(min_size=size, max_size=size, **_words(store)))


def _words(store: str) -> dict[str, object]:
    """A libpq string as asyncpg takes it."""
    return {{"dbname": "database"}.get(key, key): value for key, value in conninfo_to_dict(store).items()}


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
    manager = PgQueuer(await working_driver(kind, os.environ[STORE]))

    @manager.entrypoint("nothing")
    async def nothing(job: Job) -> None:
        await tasks.nothing_async(**json.loads(job.payload or b"{}"))

    @manager.entrypoint("report")
    async def report(job: Job) -> None:
        await tasks.report_async(**json.loads(job.payload or b"{}"))

    await manager.run(batch_size=setting("batch", 100), dequeue_timeout=timedelta(seconds=30))


if __name__ == "__main__":
    kind = sys.argv[1]
    uvloop.run(work(kind) if sys.argv[2:] == ["work"] else serve(Pgqueuer(kind)))
