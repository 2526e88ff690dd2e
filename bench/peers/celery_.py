"""celery on Redis, for context.

Settings: `ignore_result` (no result backend) and `worker_prefetch_multiplier` raised from 4 for short tasks, as its
guide "Optimizing" says; gossip, mingle and heartbeat off; the prefork pool with a process a core, its default. It
documents no bulk enqueue but a `group`, which publishes each task by itself; we keep one producer open for all.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from celery import Celery

STORE = "BENCH_STORE"
PREFETCH = 100


def url(store: str) -> str:
    """The URL as kombu wants it."""
    return store.replace("unix://", "redis+socket://", 1)


app = Celery("bench", broker=url(os.environ.get(STORE, "redis://")))
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=PREFETCH,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
TASKS = {"nothing": app.task(tasks.nothing, name="nothing"), "report": app.task(tasks.report, name="report")}


class CeleryPeer:
    """The producer and the books."""

    package = "celery"

    async def create(self, store: str) -> None:
        """Redis needs no schema."""

    async def open(self, store: str) -> None:
        os.environ[STORE] = store
        app.conf.broker_url = url(store)
        self._connection = app.connection()
        self._producer = app.amqp.Producer(self._connection)

    async def enqueue(self, task: Task, number: int) -> None:
        TASKS[task].apply_async((number,), producer=self._producer)

    def prepared(self, numbers: Sequence[int]) -> Sequence[int]:
        return numbers

    async def enqueue_all(self, prepared: Sequence[int]) -> None:
        for number in prepared:
            TASKS["nothing"].apply_async((number,), producer=self._producer)

    def worker(self) -> list[str]:
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
        return [sys.executable, "-m", "celery", "-A", "celery_", "worker", "--pool=prefork", *quiet]

    def left(self) -> int:
        # A message is taken out of the queue into `unacked`, and out of that when its task starts.
        client = self._connection.default_channel.client
        return int(client.llen("celery")) + int(client.hlen("unacked"))

    async def close(self) -> None:
        self._connection.close()


if __name__ == "__main__":
    asyncio.run(serve(CeleryPeer()))
