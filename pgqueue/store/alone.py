"""A statement for itself, on a connection that others may use between two of them: it leaves no transaction open.

psycopg begins one before a statement where autocommit is off, and to switch that on and off is not for two tasks at
once. This way it goes out under the connection's lock, and where no transaction is open it is one of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar, overload

from pgqueue.store.connection import (
    ASYNC,
    AnyConnection,
    AsyncConnection,
    SyncConnection,
    awaited,
    driver,
    driver_async,
    is_async,
)
from pgqueue.store.direct import sending_unprepared
from pgqueue.store.drivers import OnAsyncpg, OnPsycopg2
from pgqueue.store.statement import Statement, execute

T = TypeVar("T")


@overload
def execute_alone(conn: SyncConnection, statement: Statement[T]) -> T: ...
@overload
def execute_alone(conn: AsyncConnection, statement: Statement[T]) -> Awaitable[T]: ...
def execute_alone(conn: AnyConnection, statement: Statement[T]) -> T | Awaitable[T]:
    """As execute(), but it begins no transaction; in one that is open it takes part."""
    if is_async(conn):
        return _execute_async(conn, statement)
    raw = driver(conn)
    if isinstance(raw, ASYNC):
        return awaited(_execute_async(raw, statement))
    if isinstance(raw, OnPsycopg2):
        with raw.alone():
            return execute(raw, statement)
    with raw.lock:
        sending = sending_unprepared(raw, statement.sql.encode(), statement.params)
        rows = [] if sending is None else raw.wait(sending)
    return execute(raw, statement) if sending is None else statement.read(rows)


async def _execute_async(conn: AsyncConnection, statement: Statement[T]) -> T:
    raw = await driver_async(conn)
    if isinstance(raw, OnAsyncpg):
        return await execute(raw, statement)
    async with raw.lock:
        sending = sending_unprepared(raw, statement.sql.encode(), statement.params)
        rows = [] if sending is None else await raw.wait(sending)
    return await execute(raw, statement) if sending is None else statement.read(rows)
