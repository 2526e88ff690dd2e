"""Tasks that tell which database they are at home in, by every way that a job has into it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import psycopg

import pgqueue
from pgqueue.tasks import task
from tests.worker import errands

DATABASE = "select current_database()"


@task(store_result=True)
def where() -> dict[str, Any]:
    """By connect(), and by delay(), which enqueues one more job there."""
    born = errands.work.delay()
    with pgqueue.connect() as conn:
        return {"connect": conn.execute(DATABASE).fetchone()[0], "born": str(born.id)}  # type: ignore[index]


@task(store_result=True)
async def where_async() -> dict[str, Any]:
    """As where(), and the others have their turn meanwhile."""
    await asyncio.sleep(0.01)
    return where.function()


@task(store_result=True, transactional=True)
def where_transaction(conn: psycopg.Connection[Any]) -> str:
    """By the connection of the job's own transaction."""
    return conn.execute(DATABASE).fetchone()[0]  # type: ignore[index, no-any-return]


@task(store_result=True, transactional=True)
async def where_transaction_async(conn: psycopg.AsyncConnection[Any]) -> str:
    """As where_transaction()."""
    return (await (await conn.execute(DATABASE)).fetchone())[0]  # type: ignore[index, no-any-return]


@task(at_most_once=True)
def once() -> None:
    """It may run at most once, so each database is told of it before it begins."""


@task
def show_and_nap(seconds: float) -> None:
    """Say how far it is, and a line, and go on for a while."""
    job = pgqueue.current_job()
    job.log("at home in %s", home())
    job.progress(1, 2)
    time.sleep(seconds)


def home() -> str:
    """The database that connect() leads to."""
    with pgqueue.connect() as conn:
        return str(conn.execute(DATABASE).fetchone()[0])  # type: ignore[index]
