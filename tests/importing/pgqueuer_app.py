"""An application on PgQueuer: `python -m tests.adopted tests.importing.pgqueuer_app fill|many|work`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta

import psycopg
from pgqueuer import PgQueuer
from pgqueuer.db import PsycopgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

DSN = os.environ["PGQUEUE_DSN"]


async def fill(queries: Queries) -> None:
    """One of everything that a job can be told there."""
    await queries.install()
    await queries.enqueue("send", b'{"order_id": 1}')
    await queries.enqueue("send", b'{"order_id": 2}', execute_after=timedelta(days=1))
    await queries.enqueue("send", b"[3]", priority=3)
    await queries.enqueue("send", b"4", priority=-1000)
    await queries.enqueue("send", b'{"order_id": 5}', dedupe_key="only one", headers={"trace": "x"})
    await queries.enqueue("send", None)
    await queries.enqueue("raw", b"\xff\x00 no text")
    await queries.enqueue("raw", b"no json")


async def many(queries: Queries, number: int) -> None:
    await queries.install()
    payloads = [json.dumps({"order_id": n}).encode() for n in range(number)]
    await queries.enqueue(["send"] * number, payloads, [0] * number)


async def work(driver: PsycopgDriver) -> None:
    pgq = PgQueuer(driver)

    @pgq.entrypoint("send")
    async def send(job: Job) -> None:
        async with await psycopg.AsyncConnection.connect(DSN) as conn:
            await conn.execute("insert into ran values (%s, 'pgqueuer')", [json.loads(job.payload)["order_id"]])

    await pgq.run(mode=QueueExecutionMode.drain, batch_size=5, dequeue_timeout=timedelta(seconds=1))


async def main() -> None:
    async with await psycopg.AsyncConnection.connect(DSN, autocommit=True) as conn:
        driver = PsycopgDriver(conn)
        match sys.argv[1:]:
            case ["fill"]:
                await fill(Queries(driver))
            case ["many", number]:
                await many(Queries(driver), int(number))
            case ["work"]:
                await work(driver)


if __name__ == "__main__":
    asyncio.run(main())
