"""An application on Procrastinate: `python -m tests.adopted tests.importing.procrastinate_app fill|work|retry`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

import procrastinate
import psycopg

DSN = os.environ["PGQUEUE_DSN"]
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=DSN))
LATER = datetime(2099, 1, 2, 3, tzinfo=UTC)


@app.task(name="shop.send")
def send(order_id: int) -> None:
    with psycopg.connect(DSN) as conn:
        conn.execute("insert into ran values (%s, 'procrastinate')", [order_id])


@app.task(name="shop.flaky", retry=procrastinate.RetryStrategy(max_attempts=3, wait=3600))
def flaky(order_id: int) -> None:
    raise OSError("not now")


@app.periodic(cron="0 0 1 1 *")
@app.task(name="shop.yearly", queueing_lock="yearly")
def yearly(timestamp: int) -> None: ...


async def fill() -> None:
    """One of everything that a job can be told there."""
    await app.schema_manager.apply_schema_async()
    await send.defer_async(order_id=1)
    await send.configure(schedule_at=LATER, queue="mail").defer_async(order_id=2)
    await send.configure(priority=2).defer_async(order_id=3)
    await send.configure(priority=1000).defer_async(order_id=4)
    await send.configure(lock="account 7").batch_defer_async({"order_id": 5}, {"order_id": 6})
    await send.configure(queueing_lock="only one").defer_async(order_id=7)
    await app.job_manager.defer_periodic_job(
        job=yearly.configure(task_kwargs={"timestamp": 1}).job, periodic_id="", defer_timestamp=1
    )


async def many(number: int) -> None:
    await app.schema_manager.apply_schema_async()
    await send.batch_defer_async(*[{"order_id": n} for n in range(number)])


async def retry() -> None:
    """Let a job fail once, so that it waits for its next attempt."""
    await app.schema_manager.apply_schema_async()
    await flaky.defer_async(order_id=1)
    await work()


async def work() -> None:
    await app.run_worker_async(wait=False, concurrency=2, listen_notify=False, install_signal_handlers=False)


async def main() -> None:
    async with app.open_async():
        match sys.argv[1:]:
            case ["fill"]:
                await fill()
            case ["many", number]:
                await many(int(number))
            case ["retry"]:
                await retry()
            case ["work"]:
                await work()


if __name__ == "__main__":
    asyncio.run(main())
