"""From any connection that users have to the driver's that is below it; and the worker's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, TypeVar

import psycopg

from pgqueue.errors import UsageError
from pgqueue.forks import not_for_copies
from pgqueue.store.deadline import DEADLINE_SECONDS
from pgqueue.store.drivers import OnAsyncpg, OnPsycopg2, is_asyncpg, is_psycopg2, refusing
from pgqueue.store.drivers.shapes import (
    AsyncpgConnection,
    DjangoConnection,
    DjangoCursor,
    Psycopg2Connection,
    Psycopg2Cursor,
)
from pgqueue.store.dsn import read
from pgqueue.store.session import OwnAsyncConnection, OwnConnection, begin_acting, begin_async_session, begin_session
from pgqueue.store.unreachable import unreachable
from pgqueue.store.unwrapping import unwrapped

if TYPE_CHECKING:
    import sqlalchemy
    import sqlalchemy.ext.asyncio
    import sqlalchemy.orm

T = TypeVar("T")
Driver: TypeAlias = psycopg.Connection[Any] | OnPsycopg2
AsyncDriver: TypeAlias = psycopg.AsyncConnection[Any] | OnAsyncpg
# The text is the name of an alias of Django's DATABASES.
_Django: TypeAlias = "DjangoConnection | DjangoCursor | str"
_Sync: TypeAlias = "psycopg.Cursor[Any] | Psycopg2Connection | Psycopg2Cursor | _Django"
_Async: TypeAlias = "psycopg.AsyncCursor[Any] | AsyncpgConnection"
SyncConnection: TypeAlias = "Driver | sqlalchemy.Connection | sqlalchemy.orm.Session | _Sync"
AsyncConnection: TypeAlias = (
    "AsyncDriver | sqlalchemy.ext.asyncio.AsyncConnection | sqlalchemy.ext.asyncio.AsyncSession | _Async"
)
AnyConnection: TypeAlias = "SyncConnection | AsyncConnection"
# What driver() answers where what is done on it must be awaited.
ASYNC = (psycopg.AsyncConnection, OnAsyncpg)

# For one host that does not answer; of several the next one is waiting.
CONNECT_SECONDS, CONNECT_SECONDS_OF_SEVERAL = 10, 3
# Whom our own connections act for, but those of workers and of who migrates.
TENANT = "PGQUEUE_TENANT"
TENANTED = frozenset({"cli", "events", "waiting", "enqueue", "feed", "dashboard"})
# On these runs the code of a user or an example; on all others ours, which calls nothing outside pg_catalog.
LENT = frozenset({"job", "demo"})


def is_async(conn: AnyConnection) -> TypeGuard[AsyncConnection]:
    """Whether statements on `conn` must be awaited."""
    if isinstance(conn, psycopg.Connection):
        return False
    asyncio = sys.modules.get("sqlalchemy.ext.asyncio")
    if isinstance(conn, ASYNC) or (
        asyncio is not None
        and isinstance(conn, asyncio.AsyncConnection | asyncio.AsyncSession | asyncio.async_scoped_session)
    ):
        return True
    below = unwrapped(conn)
    return isinstance(below, psycopg.AsyncConnection) or is_asyncpg(below)


def driver(conn: AnyConnection) -> Driver | AsyncDriver:
    """The driver's connection under a sync connection, with SQLAlchemy's transaction begun on it.

    An async one, if sync code runs under SQLAlchemy's asyncio: run_sync(), and events of an AsyncSession. Then what is
    done on it must go through awaited(). Raises UsageError for anything else.
    """
    if isinstance(conn, psycopg.Connection):
        return conn
    orm = sys.modules.get("sqlalchemy.orm")
    if orm is not None and isinstance(conn, orm.Session | orm.scoped_session):
        conn = conn.connection()
    engine = sys.modules.get("sqlalchemy.engine")
    if engine is None or not isinstance(conn, engine.Connection):
        return _known(unwrapped(conn))
    # SQLAlchemy begins its transaction at the first execute(); without one its commit() would do nothing.
    if not conn.in_transaction():
        conn.begin()
    raw: Any = conn.connection.driver_connection
    if is_asyncpg(raw) and not raw.is_in_transaction():
        conn.exec_driver_sql(_BEGINS)
    return _below_sqlalchemy(raw)


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine answers, in sync code that SQLAlchemy's asyncio runs: it awaits what is below that code."""
    answer: T = sys.modules["sqlalchemy.util"].await_only(coroutine)
    return answer


async def driver_async(conn: AsyncConnection) -> AsyncDriver:
    """The driver's connection under an async connection, with SQLAlchemy's transaction begun on it.

    Raises UsageError if SQLAlchemy runs on another driver.
    """
    if isinstance(conn, ASYNC):
        return conn
    below: Any = unwrapped(conn)
    if isinstance(below, psycopg.AsyncConnection):
        return below
    if is_asyncpg(below):
        return OnAsyncpg(below)
    asyncio = sys.modules["sqlalchemy.ext.asyncio"]
    connection: Any = below if isinstance(below, asyncio.AsyncConnection) else await below.connection()
    if not connection.in_transaction():
        await connection.begin()
    raw = (await connection.get_raw_connection()).driver_connection
    if is_asyncpg(raw) and not raw.is_in_transaction():
        await connection.exec_driver_sql(_BEGINS)
    found = _below_sqlalchemy(raw)
    if isinstance(found, ASYNC):
        return found
    raise UsageError(refusing.wrong_driver(raw))


def of_psycopg(raw: Driver | AsyncDriver, caller: str) -> psycopg.Connection[Any] | psycopg.AsyncConnection[Any]:
    """The same, if it is psycopg's. Raises UsageError, because `caller` can do nothing with another driver's."""
    if isinstance(raw, psycopg.Connection | psycopg.AsyncConnection):
        return raw
    raise UsageError(refusing.needs_psycopg(caller, raw))


# SQLAlchemy has asyncpg begin a transaction with the first statement that it sends itself.
_BEGINS = "select 1"


def _known(conn: Any) -> Driver:
    if isinstance(conn, psycopg.Connection | OnPsycopg2):
        return conn
    if not is_psycopg2(conn):
        raise UsageError(refusing.not_a_connection(conn))
    if conn.async_:
        raise UsageError(refusing.is_asynchronous())
    return OnPsycopg2(conn)


def _below_sqlalchemy(raw: Any) -> Driver | AsyncDriver:
    if isinstance(raw, psycopg.Connection | psycopg.AsyncConnection):
        return raw
    if is_asyncpg(raw):
        return OnAsyncpg(raw)
    if is_psycopg2(raw):
        return OnPsycopg2(raw)
    raise UsageError(refusing.wrong_driver(raw))


def open_connection(
    dsn: str,
    role: str,
    *,
    autocommit: bool = True,
    deadline: float | None = DEADLINE_SECONDS,
    settings: Mapping[str, str] | None = None,
) -> OwnConnection:
    """A connection of our own, named after its role; no wait on it is longer than `deadline` seconds.

    With None a statement may take as long as it likes: for people, who can lose patience. Raises DatabaseUnreachable.
    """
    given = read(dsn)
    try:
        conn = OwnConnection.connect(autocommit=True, **_parameters(given, role))
        conn.deadline = deadline
        not_for_copies(conn)
        try:
            begin_session(conn, {**_path(role), **(settings or {})})
            if role in TENANTED and (tenant := os.environ.get(TENANT)):
                act_for(conn, tenant)
            conn.autocommit = autocommit
        except BaseException:
            conn.close()
            raise
    except (psycopg.Error, OSError) as error:
        trouble = unreachable(given, error)
        raise trouble from trouble.__cause__
    return conn


async def open_async_connection(dsn: str, role: str, *, autocommit: bool = True) -> OwnAsyncConnection:
    """As open_connection, for a task that is a coroutine.

    Raises DatabaseUnreachable.
    """
    given = read(dsn)
    try:
        conn = await OwnAsyncConnection.connect(autocommit=True, **_parameters(given, role))
        try:
            await begin_async_session(conn)
            await conn.set_autocommit(autocommit)
        except BaseException:
            await conn.close()
            raise
    except (psycopg.Error, OSError) as error:
        trouble = unreachable(given, error)
        raise trouble from trouble.__cause__
    return conn


def act_for(conn: OwnConnection, tenant: str) -> None:
    """Have all that is done on a connection of ours be for a tenant. Raises UsageError where that narrows nothing."""
    if conn.pooled:
        raise UsageError(
            f"behind a pooler that shares sessions {TENANT} (--tenant) cannot hold: connect to PostgreSQL, or say"
            " `alter role ... set pgqueue.tenant = ...` for a role of the tenant's own"
        )
    begin_acting(conn, tenant)
    with suppress(*_NO_SCHEMA):
        if conn.execute("select pgqueue.sees_all_tenants()").fetchone() == (True,):
            raise UsageError(
                f"this role sees the jobs of all tenants, or tenants are off: {TENANT} (--tenant) would narrow nothing;"
                " connect as a role that acts for tenants, or leave it out"
            )


# Whoever needs it says so.
_NO_SCHEMA = (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedFunction)


def _path(role: str) -> Mapping[str, str]:
    # Nobody can plant there what we call: docs/design/names-we-call.md.
    return {} if role in LENT else {"search_path": "pg_catalog"}


def _parameters(given: Mapping[str, Any], role: str) -> dict[str, Any]:
    several = (
        "," in f"{given.get('host', os.environ.get('PGHOST'))}{given.get('hostaddr', os.environ.get('PGHOSTADDR'))}"
    )
    ours: dict[str, Any] = {
        "application_name": f"pgqueue {role}",
        "connect_timeout": CONNECT_SECONDS_OF_SEVERAL if several else CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(DEADLINE_SECONDS * 1000),
    }
    if several and "PGTARGETSESSIONATTRS" not in os.environ:
        # One of them is the primary, and which one changes: every connect asks them all anew.
        ours["target_session_attrs"] = "read-write"
    # Whatever the database's encoding: a job's error may hold any character, and it is the server that must refuse it.
    return {**ours, **given, "client_encoding": "utf8"}
