"""pgqueue itself, measured as all others are, under the executor that its first argument names.

Settings: two slots for threads and for children, a hundred for coroutines; all else by default. Ended jobs are kept.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions

import psycopg
from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from adapter.settings import setting
from adapter.settle import count

import pgqueue
from pgqueue.migrate import migrate

SLOTS = {"process": 2, "thread": 2, "async": 100}


@pgqueue.task
def nothing(n: int) -> None:
    tasks.nothing(n)


@pgqueue.task
def report(n: int) -> None:
    tasks.report(n)


@pgqueue.task
async def nothing_async(n: int) -> None:
    await tasks.nothing_async(n)


@pgqueue.task
async def report_async(n: int) -> None:
    await tasks.report_async(n)


class Pgqueue:
    """The producer and the books."""

    package = packages_distributions()["pgqueue"][0]

    def __init__(self, executor: str) -> None:
        self._executor = executor
        self._kind = "_async" if executor == "async" else ""

    async def create(self, store: str) -> None:
        migrate(store)

    async def open(self, store: str) -> None:
        self._store = store
        self._conn = psycopg.connect(store, autocommit=True)

    async def enqueue(self, task: Task, number: int) -> None:
        pgqueue.enqueue(self._conn, self._target(task), {"n": number})

    def prepared(self, numbers: Sequence[int]) -> list[pgqueue.NewJob]:
        return [pgqueue.NewJob(self._target("nothing"), {"n": number}) for number in numbers]

    async def enqueue_all(self, prepared: list[pgqueue.NewJob]) -> None:
        pgqueue.enqueue_many(self._conn, prepared)

    async def close(self) -> None:
        self._conn.close()

    def worker(self) -> list[str]:
        os.environ["PGQUEUE_DSN"] = self._store
        slots = setting("concurrency", SLOTS[self._executor])
        words = ["-A", "pgqueue_", "-Q", "default", "-x", self._executor, "-c", str(slots), "--log-level", "warning"]
        return [sys.executable, "-m", "pgqueue", "worker", *words]

    def left(self) -> int:
        return count(self._store, "select count(*) from pgqueue.jobs")

    def _target(self, task: Task) -> str:
        return f"pgqueue_:{task}{self._kind}"


if __name__ == "__main__":
    asyncio.run(serve(Pgqueue(sys.argv[1])))
