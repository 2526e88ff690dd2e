"""Tasks that say for whom they run."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue


@pgqueue.task(store_result=True)
def whose() -> str | None:
    return pgqueue.current_job().tenant


@pgqueue.task(store_result=True, transactional=True)
def brings(conn: psycopg.Connection[Any], count: int) -> list[str | None]:
    """Enqueue jobs in its transaction, and tell what tenant that acts for."""
    for number in range(count):
        whose.using(unique_key=f"brought {number}").enqueue(conn)
    row = conn.execute("select current_setting('pgqueue.tenant', true)").fetchone()
    return [pgqueue.current_job().tenant, row[0] if row else None]


@pgqueue.task(store_result=True, transactional=True)
def looks_round(conn: psycopg.Connection[Any]) -> list[str | None]:
    """Whose jobs its connection finds."""
    whose.enqueue(conn)
    return [row[0] for row in conn.execute("select distinct tenant from pgqueue.job order by 1")]


@pgqueue.task(store_result=True)
async def whose_async() -> str | None:
    return pgqueue.current_job().tenant


@pgqueue.task(transactional=True)
async def brings_async(conn: psycopg.AsyncConnection[Any]) -> None:
    await whose.enqueue(conn)


@pgqueue.task(store_result=True)
def once_each() -> bool:
    with pgqueue.current_job().once("the same key") as first:
        return bool(first)
