"""A statement as a value, and the two runners that execute one on the caller's connection: the only doubled code."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar, overload

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.rows import tuple_row

from pgqueue.store.connection import (
    AnyConnection,
    AsyncConnection,
    AsyncDriver,
    SyncConnection,
    awaited,
    driver,
    driver_async,
    is_async,
)
from pgqueue.store.direct import ADAPTERS, Rows, sending
from pgqueue.store.drivers import OnAsyncpg, OnPsycopg2
from pgqueue.store.session import held_to
from pgqueue.store.tolerant import UNREADABLE, is_raw, load_anyhow, was_loading

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Statement(Generic[T_co]):
    """One SQL statement with its values ($1, $2 ...), and how its rows are read."""

    sql: str
    params: Sequence[Any]
    read: Callable[[Rows], T_co]


@overload
def execute(conn: SyncConnection, statement: Statement[T]) -> T: ...
@overload
def execute(conn: AsyncConnection, statement: Statement[T]) -> Awaitable[T]: ...
def execute(conn: AnyConnection, statement: Statement[T]) -> T | Awaitable[T]:
    """Run a statement in the transaction open on `conn`, and read its rows; awaitable if `conn` is async.

    Nothing of the connection is changed: row factory, loaders, autocommit and pipeline mode stay the caller's.
    """
    if is_async(conn):
        return _execute_async(conn, statement)
    raw = driver(conn)
    if not isinstance(raw, psycopg.Connection):
        return _execute_elsewhere(raw, statement)
    with raw.lock:
        direct = sending(raw, _encoded(statement.sql), statement.params)
        rows = [] if direct is None else raw.wait(direct)
    if direct is not None:
        return statement.read(rows)
    with held_to(raw), _Cursor(raw, row_factory=tuple_row) as cursor:
        # In binary: as text, times could be read under one DateStyle alone, after the statement was done.
        cursor.execute(statement.sql, statement.params, binary=True)
        return statement.read(cursor.fetchall() if _has_rows(cursor) else [])


def execute_beside(conn: psycopg.Connection[Any], statement: Statement[T], meanwhile: Callable[[], None]) -> T:
    """As execute(), and call `meanwhile` once: while the server is at work, or before it where that cannot be."""
    with conn.lock:
        direct = sending(conn, _encoded(statement.sql), statement.params)
        if direct is not None:
            try:
                meanwhile()
            finally:
                # Whatever went wrong: what was sent has an answer, and the next statement is not to find it.
                rows = conn.wait(direct)
            return statement.read(rows)
    meanwhile()
    return execute(conn, statement)


async def _execute_async(conn: AsyncConnection, statement: Statement[T]) -> T:
    raw = await driver_async(conn)
    if isinstance(raw, OnAsyncpg):
        return statement.read(await raw.run(statement.sql, statement.params))
    async with raw.lock:
        direct = sending(raw, _encoded(statement.sql), statement.params)
        rows = [] if direct is None else await raw.wait(direct)
    if direct is not None:
        return statement.read(rows)
    async with _AsyncCursor(raw, row_factory=tuple_row) as cursor:
        await cursor.execute(statement.sql, statement.params, binary=True)
        return statement.read(await cursor.fetchall() if _has_rows(cursor) else [])


def _execute_elsewhere(raw: OnPsycopg2 | AsyncDriver, statement: Statement[T]) -> T:
    if isinstance(raw, OnPsycopg2):
        return statement.read(raw.run(statement.sql, statement.params))
    return awaited(_execute_async(raw, statement))


def _has_rows(cursor: psycopg.RawCursor[Any] | psycopg.AsyncRawCursor[Any]) -> bool:
    """Whether there are rows to fetch; in pipeline mode only fetching tells."""
    return cursor.pgresult is None or cursor.description is not None


@cache
def _encoded(sql: str) -> bytes:
    return sql.encode()


class _Cursor(psycopg.RawCursor[Any]):
    @property
    def adapters(self) -> AdaptersMap:
        return ADAPTERS

    def fetchall(self) -> list[Any]:
        if self.pgresult is not None and is_raw(self.connection):
            return load_anyhow(self.connection, self.pgresult)
        try:
            return super().fetchall()
        except UNREADABLE as error:
            return load_anyhow(self.connection, was_loading(self.pgresult, error))


class _AsyncCursor(psycopg.AsyncRawCursor[Any]):
    @property
    def adapters(self) -> AdaptersMap:
        return ADAPTERS

    async def fetchall(self) -> list[Any]:
        if self.pgresult is not None and is_raw(self.connection):
            return load_anyhow(self.connection, self.pgresult)
        try:
            return await super().fetchall()
        except UNREADABLE as error:
            return load_anyhow(self.connection, was_loading(self.pgresult, error))


@cache
def query(name: str) -> str:
    r"""The text of a read-only question in `sql/queries/`; a line `\ir NAME` stands for another file, as in psql."""
    text = (files("pgqueue.store") / "sql" / "queries" / f"{name}.sql").read_text()
    return _INCLUDED.sub(lambda line: query(line[1]).rstrip(), text)


_INCLUDED = re.compile(r"^\\ir ([\w/]+)$", re.MULTILINE)


def only_value(rows: Rows) -> Any:
    """The one value of a statement that answers one row with one column."""
    return rows[0][0]


def nothing(_rows: Rows) -> None:
    """For statements whose answer does not matter."""
