"""COPY, on whichever driver: texts of rows, sent while they are made."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import psycopg

from pgqueue.store.connection import AsyncDriver, Driver
from pgqueue.store.drivers import OnAsyncpg, OnPsycopg2
from pgqueue.store.unwrapping import unwrapped

_PSYCOPG = (psycopg.Connection, psycopg.AsyncConnection)


def is_possible(conn: object) -> bool:
    """Whether it is: not in a pipeline, nor with psycopg2 where gevent, say, has set a callback for its waits."""
    below = conn if isinstance(conn, _PSYCOPG) else unwrapped(conn)
    if isinstance(below, _PSYCOPG):
        return not below.pgconn.pipeline_status
    psycopg2 = sys.modules.get("psycopg2.extensions")
    return psycopg2 is None or psycopg2.get_wait_callback() is None


def write(raw: Driver, sql: str, rows: Iterable[str]) -> None:
    """Have the server read rows. What making them raises ends the statement, and is raised."""
    if isinstance(raw, OnPsycopg2):
        raw.copy(sql, rows)
        return
    with psycopg.RawCursor(raw) as cursor, cursor.copy(sql) as out:
        for text in rows:
            out.write(text)


async def write_async(raw: AsyncDriver, sql: str, rows: Iterable[str]) -> None:
    """As write()."""
    if isinstance(raw, OnAsyncpg):
        await raw.copy(sql, rows)
        return
    async with psycopg.AsyncRawCursor(raw) as cursor, cursor.copy(sql) as out:
        for text in rows:
            await out.write(text)
