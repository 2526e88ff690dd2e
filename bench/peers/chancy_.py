"""chancy: its AsyncExecutor, on psycopg.

Settings: `eager_polling` (a new poll as soon as a job ended) and a `concurrency` beyond what two cores use, so that
each poll fetches many: its guide to queues has both. Ended jobs are written once a second in one batch, as by
default, and kept until its pruner removes them (10,000 at a time, an hour old by default).
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from adapter.settings import setting
from adapter.settle import count
from chancy import Chancy, Queue, Worker
from chancy.job import Job

BULK = 10_000
STORE = "BENCH_STORE"
# Its own logger writes a line a job.
LOG = logging.getLogger("chancy")
FUNCTIONS = {"nothing": tasks.nothing_async, "report": tasks.report_async}


class ChancyPeer:
    """The producer and the books."""

    package = "chancy"

    async def create(self, store: str) -> None:
        async with Chancy(store, log=LOG) as chancy:
            await chancy.migrate()
            await chancy.declare(
                Queue(
                    name="default",
                    concurrency=setting("concurrency", 1000),
                    executor=Chancy.Executor.Async.value,
                    eager_polling=True,
                )
            )

    async def open(self, store: str) -> None:
        self._store = os.environ[STORE] = store
        self._chancy = Chancy(store, log=LOG)
        await self._chancy.pool.open()

    async def enqueue(self, task: Task, number: int) -> None:
        await self._chancy.push(_job(task, number))

    def prepared(self, numbers: Sequence[int]) -> list[Job]:
        return [_job("nothing", number) for number in numbers]

    async def enqueue_all(self, prepared: list[Job]) -> None:
        async for _ in self._chancy.push_many(prepared, batch_size=BULK):
            pass

    async def close(self) -> None:
        await self._chancy.pool.close()

    def worker(self) -> list[str]:
        return [sys.executable, __file__, "work"]

    def left(self) -> int:
        return count(self._store, "select count(*) from chancy_jobs where state <> 'succeeded'")


def _job(task: Task, number: int) -> Job:
    return Job.from_func(FUNCTIONS[task], queue="default", kwargs={"n": number})


async def work() -> None:
    """The worker process."""
    async with Chancy(os.environ[STORE], log=LOG) as chancy, Worker(chancy) as worker:
        await worker.wait_for_shutdown()


if __name__ == "__main__":
    asyncio.run(work() if sys.argv[1:] == ["work"] else serve(ChancyPeer()))
