"""dramatiq on Redis, for context.

Settings: its command line's defaults are a process a core and 8 threads in each, which its guide has; nothing else is
documented for throughput. It has no bulk enqueue: a `group` enqueues its messages one by one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

import dramatiq
from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from dramatiq.brokers.redis import RedisBroker

STORE = "BENCH_STORE"


def actors(store: str) -> dict[str, dramatiq.Actor]:
    """Both tasks on a broker at `store`."""
    dramatiq.set_broker(RedisBroker(url=store))
    return {
        "nothing": dramatiq.actor(tasks.nothing, actor_name="nothing"),
        "report": dramatiq.actor(tasks.report, actor_name="report"),
    }


class DramatiqPeer:
    """The producer and the books."""

    package = "dramatiq"

    async def create(self, store: str) -> None:
        """Redis needs no schema."""

    async def open(self, store: str) -> None:
        os.environ[STORE] = store
        self._actors = actors(store)

    async def enqueue(self, task: Task, number: int) -> None:
        self._actors[task].send(number)

    def prepared(self, numbers: Sequence[int]) -> list[dramatiq.Message]:
        return [self._actors["nothing"].message(number) for number in numbers]

    async def enqueue_all(self, prepared: list[dramatiq.Message]) -> None:
        dramatiq.group(prepared).run()

    def worker(self) -> list[str]:
        return [sys.executable, "-m", "dramatiq", "--skip-logging", "dramatiq_"]

    def left(self) -> int:
        # The messages of a queue, waiting or taken, stand in one hash until they are acknowledged.
        return int(dramatiq.get_broker().client.hlen("dramatiq:default.msgs"))

    async def close(self) -> None:
        dramatiq.get_broker().close()


if __name__ == "__main__":
    asyncio.run(serve(DramatiqPeer()))
else:
    actors(os.environ[STORE])
