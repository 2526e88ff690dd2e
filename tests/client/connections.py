"""Every kind of connection that users have, each opened the way they open it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row, dict_row, namedtuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sqlalchemy_asyncio


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, the driver's below it, and what ends its transactions, where that is neither."""

    conn: Any
    raw: Any
    ends: Any = None

    async def commit(self) -> None:
        await answer((self.ends or self.conn).commit())

    async def rollback(self) -> None:
        await answer((self.ends or self.conn).rollback())

    def settings(self) -> tuple[Any, ...]:
        """All of the connection that its user may have set."""
        raw = self.raw
        if isinstance(raw, psycopg2.extensions.connection):
            session = raw.autocommit, raw.isolation_level, raw.readonly, raw.deferrable
            return *session, raw.cursor_factory, raw.encoding, dict(raw.string_types)
        if isinstance(raw, asyncpg.Connection | asyncpg.pool.PoolConnectionProxy):
            return (repr(raw.get_settings()),)
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


def url(dsn: str, driver: str = "psycopg") -> sqlalchemy.URL:
    given = conninfo_to_dict(dsn)
    return sqlalchemy.URL.create(
        f"postgresql+{driver}", given["user"], None, given["host"], int(given["port"]), given["dbname"]
    )


@asynccontextmanager
async def core(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy.create_engine(url(dsn))
    with engine.connect() as conn:
        yield Opened(conn, conn.connection.driver_connection)
    engine.dispose()


def session(driver: str = "psycopg") -> Kind:
    @asynccontextmanager
    async def opened(dsn: str) -> AsyncIterator[Opened]:
        engine = sqlalchemy.create_engine(url(dsn, driver))
        with engine.connect() as conn, orm.Session(conn) as session:
            yield Opened(session, conn.connection.driver_connection)
        engine.dispose()

    return opened


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


def async_session(driver: str = "psycopg") -> Kind:
    @asynccontextmanager
    async def opened(dsn: str) -> AsyncIterator[Opened]:
        engine = sqlalchemy_asyncio.create_async_engine(url(dsn, driver))
        async with engine.connect() as conn, sqlalchemy_asyncio.AsyncSession(conn) as session:
            yield Opened(session, (await conn.get_raw_connection()).driver_connection)
        await engine.dispose()

    return opened


@asynccontextmanager
async def async_scoped(dsn: str) -> AsyncIterator[Opened]:
    engine = sqlalchemy_asyncio.create_async_engine(url(dsn))
    async with engine.connect() as conn:
        maker = sqlalchemy_asyncio.async_sessionmaker(conn)
        session = sqlalchemy_asyncio.async_scoped_session(maker, asyncio.current_task)
        yield Opened(session, (await conn.get_raw_connection()).driver_connection)
        await session.remove()
    await engine.dispose()


@asynccontextmanager
async def cursor(dsn: str) -> AsyncIterator[Opened]:
    with psycopg.connect(dsn) as conn, conn.cursor(row_factory=dict_row) as cursor:
        yield Opened(cursor, conn, conn)


@asynccontextmanager
async def async_cursor(dsn: str) -> AsyncIterator[Opened]:
    async with await psycopg.AsyncConnection.connect(dsn) as conn, conn.cursor() as cursor:
        yield Opened(cursor, conn, conn)


@asynccontextmanager
async def by_psycopg2(dsn: str) -> AsyncIterator[Opened]:
    conn = psycopg2.connect(dsn)
    yield Opened(conn, conn)
    conn.close()


@asynccontextmanager
async def psycopg2_cursor(dsn: str) -> AsyncIterator[Opened]:
    conn = psycopg2.connect(dsn)
    yield Opened(conn.cursor(), conn, conn)
    conn.close()


@asynccontextmanager
async def psycopg2_taught(dsn: str) -> AsyncIterator[Opened]:
    conn = psycopg2.connect(dsn, cursor_factory=psycopg2.extras.RealDictCursor)
    psycopg2.extras.register_default_json(conn, loads=_broken_loads)
    texts = psycopg2.extensions.new_type((25, 1184, 2950), "SHOUTED", lambda text, _: text and text.upper())
    psycopg2.extensions.register_type(texts, conn)
    yield Opened(conn, conn)
    conn.close()


class AsyncpgTransactions:
    """One is always open."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    async def begin(self) -> None:
        self._now = self._conn.transaction()
        await self._now.start()

    async def commit(self) -> None:
        await self._now.commit()
        await self.begin()

    async def rollback(self) -> None:
        await self._now.rollback()
        await self.begin()


@asynccontextmanager
async def by_asyncpg(dsn: str, **options: Any) -> AsyncIterator[Opened]:
    conn = await asyncpg.connect(**asyncpg_words(dsn), **options)
    ends = AsyncpgTransactions(conn)
    await ends.begin()
    yield Opened(conn, conn, ends)
    await conn.close()


@asynccontextmanager
async def asyncpg_pool(dsn: str) -> AsyncIterator[Opened]:
    async with (
        asyncpg.create_pool(**asyncpg_words(dsn), min_size=1, max_size=1) as pool,
        pool.acquire() as conn,
    ):
        ends = AsyncpgTransactions(conn)
        await ends.begin()
        yield Opened(conn, conn, ends)


@asynccontextmanager
async def asyncpg_taught(dsn: str) -> AsyncIterator[Opened]:
    async with by_asyncpg(dsn, statement_cache_size=0) as opened:
        for name in ("json", "jsonb"):
            await opened.conn.set_type_codec(name, encoder=repr, decoder=_broken_loads, schema="pg_catalog")
        yield opened


def asyncpg_words(dsn: str) -> dict[str, Any]:
    """What asyncpg.connect() takes: it reads URLs alone."""
    given = conninfo_to_dict(dsn)
    return {name: given[name] for name in ("host", "port", "user")} | {"database": given["dbname"], "ssl": False}


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
    "SQLAlchemy Session": session(),
    "SQLAlchemy scoped_session": scoped,
    "SQLAlchemy AsyncConnection": async_core,
    "SQLAlchemy AsyncSession": async_session(),
    "SQLAlchemy async_scoped_session": async_scoped,
    "cursor": cursor,
    "async cursor": async_cursor,
    "psycopg2": by_psycopg2,
    "psycopg2 cursor": psycopg2_cursor,
    "psycopg2 typecasters": psycopg2_taught,
    "asyncpg codecs": asyncpg_taught,
    "asyncpg pool": asyncpg_pool,
    "SQLAlchemy Session on psycopg2": session("psycopg2"),
    "SQLAlchemy AsyncSession on asyncpg": async_session("asyncpg"),
}
