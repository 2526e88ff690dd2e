"""rq on Redis, for context.

Settings: SimpleWorker, which runs jobs in its own process; its guide "Performance Notes" says that the default worker's
fork of each job costs most. `enqueue_many` is its bulk call, in one pipeline. Ended jobs are kept for 500 s.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from redis import Redis
from rq import Queue, SimpleWorker
from rq.queue import EnqueueData
from rq.registry import StartedJobRegistry

STORE = "BENCH_STORE"
FUNCTIONS = {"nothing": tasks.nothing, "report": tasks.report}


class RqPeer:
    """The producer and the books."""

    package = "rq"

    async def create(self, store: str) -> None:
        """Redis needs no schema."""

    async def open(self, store: str) -> None:
        os.environ[STORE] = store
        self._queue = Queue("default", connection=Redis.from_url(store))

    async def enqueue(self, task: Task, number: int) -> None:
        self._queue.enqueue(FUNCTIONS[task], number)

    def prepared(self, numbers: Sequence[int]) -> list[EnqueueData]:
        return [Queue.prepare_data(tasks.nothing, (number,)) for number in numbers]

    async def enqueue_all(self, prepared: list[EnqueueData]) -> None:
        self._queue.enqueue_many(prepared)

    def worker(self) -> list[str]:
        return [sys.executable, __file__, "work"]

    def left(self) -> int:
        return int(self._queue.count) + int(StartedJobRegistry(queue=self._queue).count)

    async def close(self) -> None:
        self._queue.connection.close()


def work() -> None:
    """The worker process."""
    connection = Redis.from_url(os.environ[STORE])
    SimpleWorker([Queue("default", connection=connection)], connection=connection).work(logging_level="WARNING")


if __name__ == "__main__":
    work() if sys.argv[1:] == ["work"] else asyncio.run(serve(RqPeer()))
