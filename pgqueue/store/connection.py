"""From any connection that users have (psycopg or SQLAlchemy, sync or async) to psycopg's; and the worker's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, TypeVar

import psycopg

from pgqueue.errors import DatabaseUnreachable, UsageError
from pgqueue.forks import not_for_copies
from pgqueue.store.deadline import DEADLINE_SECONDS
from pgqueue.store.dsn import read
from pgqueue.store.session import OwnAsyncConnection, OwnConnection, begin_async_session, begin_session
from pgqueue.store.unreachable import in_one_line, unreachable
from pgqueue.store.unwrapping import unwrapped

if TYPE_CHECKING:
    import sqlalchemy
    import sqlalchemy.ext.asyncio
    import sqlalchemy.orm

T = TypeVar("T")
SyncConnection: TypeAlias = "psycopg.Connection[Any] | sqlalchemy.Connection | sqlalchemy.orm.Session"
AsyncConnection: TypeAlias = (
    "psycopg.AsyncConnection[Any] | sqlalchemy.ext.asyncio.AsyncConnection | sqlalchemy.ext.asyncio.AsyncSession"
)
AnyConnection: TypeAlias = "SyncConnection | AsyncConnection"

# For one host that does not answer; of several the next one is waiting.
CONNECT_SECONDS, CONNECT_SECONDS_OF_SEVERAL = 10, 3
# On these runs the code of a user or an example; on all others ours, which calls nothing outside pg_catalog.
LENT = frozenset({"job", "demo"})


def is_async(conn: AnyConnection) -> TypeGuard[AsyncConnection]:
    """Whether statements on `conn` must be awaited."""
    if isinstance(conn, psycopg.Connection):
        return False
    asyncio = sys.modules.get("sqlalchemy.ext.asyncio")
    return isinstance(conn, psycopg.AsyncConnection) or (
        asyncio is not None
        and isinstance(conn, asyncio.AsyncConnection | asyncio.AsyncSession | asyncio.async_scoped_session)
    )


def driver(conn: AnyConnection) -> psycopg.Connection[Any] | psycopg.AsyncConnection[Any]:
    """psycopg's connection under a sync connection, with SQLAlchemy's transaction begun on it.

    An async one, if sync code runs under SQLAlchemy's asyncio: run_sync(), and events of an AsyncSession. Then what is
    done on it must go through awaited(). Raises UsageError for anything else.
    """
    if isinstance(conn, psycopg.Connection):
        return conn
    conn = unwrapped(conn)
    if isinstance(conn, psycopg.Connection):
        return conn
    orm = sys.modules.get("sqlalchemy.orm")
    if orm is not None and isinstance(conn, orm.Session | orm.scoped_session):
        conn = conn.connection()
    engine = sys.modules.get("sqlalchemy.engine")
    if engine is None or not isinstance(conn, engine.Connection):
        raise UsageError(_not_a_connection(conn))
    # SQLAlchemy begins its transaction at the first execute(); without one its commit() would do nothing.
    if not conn.in_transaction():
        conn.begin()
    raw = conn.connection.driver_connection
    if not isinstance(raw, psycopg.Connection | psycopg.AsyncConnection):
        raise UsageError(_wrong_driver(raw))
    return raw


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine answers, in sync code that SQLAlchemy's asyncio runs: it awaits what is below that code."""
    answer: T = sys.modules["sqlalchemy.util"].await_only(coroutine)
    return answer


async def driver_async(conn: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """psycopg's connection under an async connection, with SQLAlchemy's transaction begun on it.

    Raises UsageError if SQLAlchemy runs on another driver.
    """
    if isinstance(conn, psycopg.AsyncConnection):
        return conn
    asyncio = sys.modules["sqlalchemy.ext.asyncio"]
    connection = conn if isinstance(conn, asyncio.AsyncConnection) else await conn.connection()
    if not connection.in_transaction():
        await connection.begin()
    raw = (await connection.get_raw_connection()).driver_connection
    if not isinstance(raw, psycopg.AsyncConnection):
        raise UsageError(_wrong_driver(raw))
    return raw


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


def is_lost(conn: psycopg.Connection[Any] | None, error: BaseException) -> bool:
    """Whether `error` means that the connection is gone, and with it perhaps the reply to what had been done."""
    if conn is None or conn.closed or isinstance(error, DatabaseUnreachable | psycopg.InterfaceError):
        return True
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate == _READ_ONLY:
        # It is no primary any more, and another one may be.
        return _is_read_only(conn)
    # Without a code it is libpq's own.
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate is None or _ends_session(error))


def is_refusal(error: BaseException) -> bool:
    """Whether the server refused what it may take later: nothing was done, and nothing is wrong with what was asked."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and (state in _PASSING or state.startswith(("53", "58")))


def is_outage(error: BaseException) -> bool:
    """Whether the server refuses for a while whatever anybody asks: no room, no disk, no memory, a lock, read-only."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if state is None:
        return False
    return state in ("55P03", _READ_ONLY) or state.startswith("53") or (state[:3] == "57P" and _ends_session(error))


def _ends_session(error: BaseException) -> bool:
    """Whether the server ends the session with it: class 08 is the connection's, 57P01 to 57P03 the server going down.

    A trigger of somebody's may raise these codes, too; but who ends a session says FATAL.
    """
    if not isinstance(error, psycopg.Error) or error.diag.severity_nonlocalized == "ERROR":
        return False
    return error.sqlstate is not None and error.sqlstate.startswith(("08", "57P0"))


def _is_read_only(conn: psycopg.Connection[Any]) -> bool:
    """Whether the server says so of itself or of the session; True if it does not tell, as through a pooler."""
    told = [conn.info.parameter_status(name) for name in ("in_hot_standby", "default_transaction_read_only")]
    return "on" in told or None in told


_READ_ONLY = "25006"
# Serialization failure, deadlock, lock not available, canceled, and read-only; with 53, no room, and 58, no disk.
_PASSING = frozenset({"40001", "40P01", "55P03", "57014", _READ_ONLY})


def was_ended_by_hand(error: BaseException) -> bool:
    """Whether the server itself said that it ended the session: pg_terminate_backend, or a stop of the server."""
    said = error.__cause__ if isinstance(error, DatabaseUnreachable) else error
    return isinstance(said, psycopg.Error) and said.sqlstate == "57P01"


def in_words(error: BaseException) -> str:
    """What is wrong with the database, in one line without what is only about the statement."""
    if not isinstance(error, psycopg.Error) or error.sqlstate is None:
        return in_one_line(error)
    if error.sqlstate == _READ_ONLY:
        return "the database is read-only: a standby, or default_transaction_read_only is on (25006)"
    return f"{error.diag.message_primary} ({error.sqlstate})"


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


def _not_a_connection(conn: object) -> str:
    advice = {
        "Engine": "use `with engine.begin() as conn:`",
        "AsyncEngine": "use `async with engine.begin() as conn:`",
        "ConnectionPool": "use `with pool.connection() as conn:`",
        "AsyncConnectionPool": "use `async with pool.connection() as conn:`",
        "str": "open it: `with psycopg.connect(dsn) as conn:`",
        "sessionmaker": "use `with Session.begin() as session:`",
    }.get(type(conn).__name__, "pass the one whose transaction the job belongs to")
    return f"conn must be a connection of psycopg 3 or SQLAlchemy, got {type(conn).__qualname__}; {advice}"


def _wrong_driver(raw: object) -> str:
    kind = type(raw)
    return (
        f"SQLAlchemy must run on psycopg 3 here, got {kind.__module__}.{kind.__qualname__};"
        " create the engine with postgresql+psycopg://"
    )
