"""Every kind of connection that users have, each opened the way they open it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import psycopg
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row, dict_row, namedtuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sqlalchemy_asyncio


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, and psycopg's below it."""

    conn: Any
    raw: Any

    async def commit(self) -> None:
        await answer(self.conn.commit())

    async def rollback(self) -> None:
        await answer(self.conn.rollback())

    def settings(self) -> tuple[Any, ...]:
        """All of the connection that its user may have set."""
        raw = self.raw
        return (
            raw.autocommit,
            raw.isolation_level,
            raw.read_only,
            raw.row_factory,
            raw.cursor_factory,
            raw.prepare_threshold,
            raw.pgconn.pipeline_status,
            tuple(raw.adapters.get_loader(oid, psycopg.pq.Format.TEXT) for oid in (20, 114, 1184, 2950, 3802)),
        )


Kind = Callable[[str], AbstractAsyncContextManager[Opened]]


async def answer(value: Any) -> Any:
    """The value, awaited if it must be."""
    return await value if isawaitable(value) else value


def run(kind: Kind, dsn: str, act: Callable[[Opened], Any]) -> Any:
    """What `act` answers on a connection of that kind."""

    async def main() -> Any:
        async with kind(dsn) as opened:
            return await act(opened)

    return asyncio.run(main())


@dataclass
class Row:
    """A row of nothing that we select: a factory that fails on every row of ours."""

    colour: str


def _broken_loads(_text: str | bytes) -> Any:
    raise AssertionError("the caller's JSON loader was used")


def sync(**options: Any) -> Kind:
    @asynccontextmanager
    async def opened(dsn: str) -> AsyncIterator[Opened]:
        with psycopg.connect(dsn, **options) as conn:
            yield Opened(conn, conn)

    return opened


def async_(**options: Any) -> Kind:
    @asynccontextmanager
    async def opened(dsn: str) -> AsyncIterator[Opened]:
        async with await psycopg.AsyncConnection.connect(dsn, **options) as conn:
            yield Opened(conn, conn)

    return opened


@asynccontextmanager
async def begun_in_autocommit(dsn: str) -> AsyncIterator[Opened]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("begin")
        yield Opened(conn, conn)


@asynccontextmanager
async def pipeline(dsn: str) -> AsyncIterator[Opened]:
    with psycopg.connect(dsn) as conn, conn.pipeline():
        yield Opened(conn, conn)


@asynccontextmanager
async def async_pipeline(dsn: str) -> AsyncIterator[Opened]:
    async with await psycopg.AsyncConnection.connect(dsn) as conn, conn.pipeline():
        yield Opened(conn, conn)


@asynccontextmanager
async def own_json_loader(dsn: str) -> AsyncIterator[Opened]:
    with psycopg.connect(dsn) as conn:
        set_json_loads(_broken_loads, conn)
        yield Opened(conn, conn)


def url(dsn: str) -> sqlalchemy.URL:
    given = conninfo_to_dict(dsn)
    return sqlalchemy.URL.create(
        "postgresql+psycopg", given["user"], None, given["host"], int(given["port"]), given["dbname"]
    )


@asynccontextmanager
async def core(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy.create_engine(url(dsn))
    with engine.connect() as conn:
        yield Opened(conn, conn.connection.driver_connection)
    engine.dispose()


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy.create_engine(url(dsn))
    with engine.connect() as conn, orm.Session(conn) as session:
        yield Opened(session, conn.connection.driver_connection)
    engine.dispose()


@asynccontextmanager
async def scoped(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy.create_engine(url(dsn))
    with engine.connect() as conn:
        session = orm.scoped_session(orm.sessionmaker(conn))
        yield Opened(session, conn.connection.driver_connection)
        session.remove()
    engine.dispose()


@asynccontextmanager
async def async_core(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy_asyncio.create_async_engine(url(dsn))
    async with engine.connect() as conn:
        yield Opened(conn, (await conn.get_raw_connection()).driver_connection)
    await engine.dispose()


@asynccontextmanager
async def async_session(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy_asyncio.create_async_engine(url(dsn))
    async with engine.connect() as conn, sqlalchemy_asyncio.AsyncSession(conn) as session:
        yield Opened(session, (await conn.get_raw_connection()).driver_connection)
    await engine.dispose()


@asynccontextmanager
async def async_scoped(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy_asyncio.create_async_engine(url(dsn))
    async with engine.connect() as conn:
        maker = sqlalchemy_asyncio.async_sessionmaker(conn)
        session = sqlalchemy_asyncio.async_scoped_session(maker, asyncio.current_task)
        yield Opened(session, (await conn.get_raw_connection()).driver_connection)
        await session.remove()
    await engine.dispose()


KINDS: dict[str, Kind] = {
    "psycopg": sync(),
    "dict_row": sync(row_factory=dict_row),
    "namedtuple_row": sync(row_factory=namedtuple_row),
    "class_row": sync(row_factory=class_row(Row)),
    "client cursor": sync(cursor_factory=psycopg.ClientCursor),
    "unprepared": sync(prepare_threshold=None),
    "always prepared": sync(prepare_threshold=0),
    "begun in autocommit": begun_in_autocommit,
    "pipeline": pipeline,
    "own JSON loader": own_json_loader,
    "async": async_(),
    "async dict_row": async_(row_factory=dict_row),
    "async unprepared": async_(prepare_threshold=None),
    "async pipeline": async_pipeline,
    "SQLAlchemy Connection": core,
    "SQLAlchemy Session": session,
    "SQLAlchemy scoped_session": scoped,
    "SQLAlchemy AsyncConnection": async_core,
    "SQLAlchemy AsyncSession": async_session,
    "SQLAlchemy async_scoped_session": async_scoped,
}
