"""What is enqueued on an async connection is awaited, on any other not."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, assert_type
from uuid import UUID

import psycopg
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession

import pgqueue
from pgqueue.store.drivers.shapes import (
    AsyncpgConnection,
    DjangoConnection,
    DjangoCursor,
    Psycopg2Connection,
    Psycopg2Cursor,
)


def sync(
    conn: psycopg.Connection[Any],
    cursor: psycopg.Cursor[Any],
    of_psycopg2: Psycopg2Connection,
    its_cursor: Psycopg2Cursor,
    below: sqlalchemy.Connection,
    of_django: DjangoConnection,
    djangos_cursor: DjangoCursor,
) -> None:
    assert_type(pgqueue.enqueue(conn, "shop:send"), pgqueue.Enqueued)
    assert_type(pgqueue.enqueue(cursor, "shop:send"), pgqueue.Enqueued)
    assert_type(pgqueue.enqueue(of_psycopg2, "shop:send"), pgqueue.Enqueued)
    assert_type(pgqueue.enqueue(its_cursor, "shop:send"), pgqueue.Enqueued)
    assert_type(pgqueue.enqueue_many(below, []), list[UUID])
    assert_type(pgqueue.enqueue(of_django, "shop:send"), pgqueue.Enqueued)
    assert_type(pgqueue.enqueue(djangos_cursor, "shop:send"), pgqueue.Enqueued)
    assert_type(pgqueue.enqueue("default", "shop:send"), pgqueue.Enqueued)


def asynchronous(
    conn: psycopg.AsyncConnection[Any],
    cursor: psycopg.AsyncCursor[Any],
    of_asyncpg: AsyncpgConnection,
    session: AsyncSession,
) -> None:
    assert_type(pgqueue.enqueue(conn, "shop:send"), Awaitable[pgqueue.Enqueued])
    assert_type(pgqueue.enqueue(cursor, "shop:send"), Awaitable[pgqueue.Enqueued])
    assert_type(pgqueue.enqueue(of_asyncpg, "shop:send"), Awaitable[pgqueue.Enqueued])
    assert_type(pgqueue.enqueue_many(session, []), Awaitable[list[UUID]])
