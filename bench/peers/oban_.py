"""oban for Python: its open-source edition, on psycopg and asyncio.

Settings: a queue's `limit` is the number of jobs that run at once, and so many are fetched and acknowledged in one
statement every 5 ms. Its command line runs on uvloop, and reads and writes JSON by orjson; so do we. Ended
jobs are kept for a day.
"""

from __future__ import annotations

import os
import signal
import sys
from asyncio import Event, get_running_loop
from collections.abc import Sequence

import orjson
import uvloop
from adapter import tasks
from adapter.peer import Task
from adapter.serve import serve
from adapter.settings import setting
from adapter.settle import count
from oban import Oban, job
from oban.job import Job
from oban.schema import install
from psycopg.types.json import set_json_dumps, set_json_loads

STORE = "BENCH_STORE"
WORKERS = {"nothing": job(queue="default")(tasks.nothing_async), "report": job(queue="default")(tasks.report_async)}


class ObanPeer:
    """The producer and the books."""

    package = "oban"

    async def create(self, store: str) -> None:
        pool = await Oban.create_pool(store)
        await install(pool)
        await pool.close()

    async def open(self, store: str) -> None:
        self._store = os.environ[STORE] = store
        self._oban = Oban(pool=await Oban.create_pool(store))
        await self._oban.start()

    async def enqueue(self, task: Task, number: int) -> None:
        # Not `WORKERS[task].enqueue(number)`: in 0.7.0 it wraps the arguments of a function twice.
        await self._oban.enqueue(WORKERS[task].new(number))

    def prepared(self, numbers: Sequence[int]) -> list[Job]:
        return [WORKERS["nothing"].new(number) for number in numbers]

    async def enqueue_all(self, prepared: list[Job]) -> None:
        await self._oban.enqueue_many(prepared)

    async def close(self) -> None:
        await self._oban.stop()

    def worker(self) -> list[str]:
        return [sys.executable, __file__, "work"]

    def left(self) -> int:
        return count(self._store, "select count(*) from oban_jobs where state <> 'completed'")


async def work() -> None:
    """The worker process."""
    stopped = Event()
    get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with Oban(pool=await Oban.create_pool(os.environ[STORE]), queues={"default": setting("limit", 200)}):
        await stopped.wait()


if __name__ == "__main__":
    # As its command line does.
    set_json_dumps(orjson.dumps)
    set_json_loads(orjson.loads)
    uvloop.run(work() if sys.argv[1:] == ["work"] else serve(ObanPeer()))
