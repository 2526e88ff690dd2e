"""procrastinate: async tasks on psycopg.

Settings: `concurrency` is what its documentation has for parallel jobs ("How-to: Launch a worker"); jobs are fetched
one by one and ended one by one whatever it is; a sweep chose it, and the size of the pool. Producers use the
synchronous connector, which is quicker than the asynchronous one for a single client. Ended jobs are kept
(`delete_jobs` is "never" unless asked), and its trigger writes their history.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

import procrastinate
from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from adapter.settings import setting
from adapter.settle import count

STORE = "BENCH_STORE"


def app(connector: procrastinate.BaseConnector) -> procrastinate.App:
    """The application with both tasks."""
    made = procrastinate.App(connector=connector)
    made.task(tasks.nothing_async, name="nothing")
    made.task(tasks.report_async, name="report")
    return made


class Procrastinate:
    """The producer and the books."""

    package = "procrastinate"

    async def create(self, store: str) -> None:
        with app(procrastinate.SyncPsycopgConnector(conninfo=store)).open() as opened:
            opened.schema_manager.apply_schema()

    async def open(self, store: str) -> None:
        self._store = os.environ[STORE] = store
        self._app = app(procrastinate.SyncPsycopgConnector(conninfo=store, min_size=1, max_size=1))
        self._app.open()

    async def enqueue(self, task: Task, number: int) -> None:
        self._app.tasks[task].defer(n=number)

    def prepared(self, numbers: Sequence[int]) -> list[dict[str, int]]:
        return [{"n": number} for number in numbers]

    async def enqueue_all(self, prepared: list[dict[str, int]]) -> None:
        self._app.tasks["nothing"].batch_defer(*prepared)

    async def close(self) -> None:
        self._app.close()

    def worker(self) -> list[str]:
        return [sys.executable, __file__, "work"]

    def left(self) -> int:
        return count(self._store, "select count(*) from procrastinate_jobs where status in ('todo', 'doing')")


async def work() -> None:
    """The worker process."""
    pool = setting("pool", 10)
    connector = procrastinate.PsycopgConnector(conninfo=os.environ[STORE], min_size=pool, max_size=pool)
    async with app(connector).open_async() as opened:
        await opened.run_worker_async(concurrency=setting("concurrency", 20))


if __name__ == "__main__":
    asyncio.run(work() if sys.argv[1:] == ["work"] else serve(Procrastinate()))
