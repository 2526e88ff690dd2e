"""Tasks for the tests of pgqueue.testing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

import pgqueue


@pgqueue.task(queue="mail")
def send(order_id: int, note: str | None = None) -> str:
    job = pgqueue.current_job()
    job.log("sent %s", order_id)
    return f"sent {order_id}"


@pgqueue.task(transactional=True)
def charge(conn: psycopg.Connection[Any], order_id: int) -> int:
    conn.execute("insert into charges values (%s)", [order_id])
    send.enqueue(conn, order_id)
    return order_id


@pgqueue.task(transactional=True)
async def charge_async(conn: psycopg.AsyncConnection[Any], order_id: int) -> None:
    await conn.execute("insert into charges values (%s)", [order_id])
    await send.enqueue(conn, order_id)


@pgqueue.task(transactional=True)
def charge_and_fail(conn: psycopg.Connection[Any], order_id: int) -> None:
    conn.execute("insert into charges values (%s)", [order_id])
    raise LookupError(f"no order {order_id}")


@pgqueue.task(transactional=True)
def end_transaction(conn: psycopg.Connection[Any]) -> None:
    conn.execute("commit")


@pgqueue.task(transactional=True)
def swallow_error(conn: psycopg.Connection[Any]) -> None:
    with contextlib.suppress(psycopg.Error):
        conn.execute("select 1/0")


@pgqueue.task(retry=pgqueue.Fixed(60, jitter=0), max_attempts=3)
def fail() -> None:
    raise LookupError("no route")


@pgqueue.task
def wish(what: str) -> None:
    match what:
        case "retry":
            raise pgqueue.Retry(delay=5)
        case "snooze":
            raise pgqueue.Snooze(30)
        case "cancel":
            raise pgqueue.Cancel("not wanted")
        case "bury":
            raise pgqueue.Bury("look at it")


@pgqueue.task
async def wait_for(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@pgqueue.task(timeout=0.3)
def spin() -> None:
    while True:
        time.sleep(0.01)


@pgqueue.task
def again() -> None:
    """Enqueues itself for ever."""
    again.delay()


@pgqueue.task(limit_key="lodger:{tenant}", concurrency=1)
def limited(tenant: str) -> None: ...


@pgqueue.task(sensitive=("token",))
def call(token: str, where: str) -> None:
    raise ValueError(f"{where} refuses {token}")


def plain(number: int) -> int:
    return number + 1


@pgqueue.task
def tell() -> list[Any]:
    job = pgqueue.current_job()
    return [str(job.id), job.attempt, dict(job.labels), job.queue, job.cancelled, job.deadline is not None]


@pgqueue.task
async def loop_of() -> int:
    return id(asyncio.get_running_loop())


heard: list[str] = []


@pgqueue.task(on_success=lambda done: heard.append(done.claim.target))
def hooked() -> None: ...


@pgqueue.task
def bring(number: int) -> None:
    job = pgqueue.current_job()
    job.enqueue(send, [number], delay=60)
    job.effect(send, number + 1)


@pgqueue.task(on_success="tests.testing.tasks:after", on_failure="tests.testing.tasks:after", max_attempts=1)
def end(well: bool) -> None:
    if not well:
        raise LookupError("no")


@pgqueue.task
def after(ended: pgqueue.EndedJob) -> str:
    return str(ended.state)


@pgqueue.task
def once(key: str) -> str:
    with pgqueue.current_job().once(key) as first:
        if first:
            first.value = "done"
        return "first" if first else "again"


@pgqueue.task
async def once_async(key: str) -> str:
    async with pgqueue.current_job().once(key) as first:
        return "first" if first else "again"


@pgqueue.task
def spawn_at_once(number: int) -> None:
    pgqueue.current_job().enqueue(send, [number], at="once")
    raise LookupError("no")


@pgqueue.task(iterable=True)
def count_up(to: int) -> Iterator[int]:
    job = pgqueue.current_job()
    for number in range(job.resumed_from or 0, to):
        job.progress(number + 1, to, "counting")
        yield number + 1
        if number == 1 and job.attempt == 1:
            raise pgqueue.Retry(delay=0)


@pgqueue.task(iterable=True, transactional=True)
def charge_each(conn: psycopg.Connection[Any], to: int) -> Iterator[int]:
    for number in range(pgqueue.current_job().resumed_from or 0, to):
        conn.execute("insert into charges values (%s)", [number])
        yield number + 1
        if number == 1:
            raise LookupError("in the middle")


@pgqueue.task(timeout=0.3)
def take_time() -> None:
    job = pgqueue.current_job()
    job.extend(30)
    time.sleep(0.6)


@pgqueue.task
def due(at: datetime, price: Decimal) -> str:
    return f"{type(at).__name__} {type(price).__name__}"


@pgqueue.task(max_attempts=1, fallback="tests.testing.tasks:guess")
def price(order_id: int) -> int:
    raise LookupError("no price list")


@pgqueue.task(max_attempts=1, fallback="human")
def guess(order_id: int) -> int:
    if order_id > 1:
        raise LookupError("no idea")
    return 9


@pgqueue.task(batch=3, retry=pgqueue.Fixed(60, jitter=0))
def index(jobs: pgqueue.Batch[Any]) -> dict[UUID, Any]:
    for job in jobs:
        job.log("one of %s", len(jobs))
    return {job.id: LookupError("bad page") if job.args == [13] else len(jobs) for job in jobs}


@pgqueue.task(batch=3, transactional=True)
async def index_async(conn: psycopg.AsyncConnection[Any], jobs: pgqueue.Batch[Any]) -> None:
    for job in jobs:
        await conn.execute("insert into charges values (%s)", job.args)
