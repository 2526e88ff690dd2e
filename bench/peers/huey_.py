"""huey on Redis, for context.

Settings: RedisHuey pops with a blocking call, so that idle workers start at once; its guide has process workers for
what uses the processor, and we take one a core. It has no bulk enqueue. A message is gone from Redis once taken:
an ended job leaves nothing behind, and `left` may be short by the jobs in hand, at most one a worker.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from huey import RedisHuey

STORE = "BENCH_STORE"


def queue(store: str) -> RedisHuey:
    """The queue at `store`, with both tasks."""
    made = RedisHuey("bench", url=store, results=False)
    made.nothing = made.task(name="nothing")(tasks.nothing)
    made.report = made.task(name="report")(tasks.report)
    return made


huey = queue(os.environ.get(STORE, "redis://"))


class HueyPeer:
    """The producer and the books."""

    package = "huey"

    async def create(self, store: str) -> None:
        """Redis needs no schema."""

    async def open(self, store: str) -> None:
        os.environ[STORE] = store
        self._huey = queue(store)

    async def enqueue(self, task: Task, number: int) -> None:
        getattr(self._huey, task)(number)

    def prepared(self, numbers: Sequence[int]) -> Sequence[int]:
        return numbers

    async def enqueue_all(self, prepared: Sequence[int]) -> None:
        for number in prepared:
            self._huey.nothing(number)

    def worker(self) -> list[str]:
        consumer = [sys.executable, "-m", "huey.bin.huey_consumer", "huey_.huey"]
        return [*consumer, "--worker-type=process", f"--workers={os.cpu_count()}", "--quiet", "--no-periodic"]

    def left(self) -> int:
        return int(self._huey.pending_count())

    async def close(self) -> None:
        """Its connections end with the process."""


if __name__ == "__main__":
    asyncio.run(serve(HueyPeer()))
