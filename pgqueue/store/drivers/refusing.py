"""What is told to who passes something that is no connection, or one of a driver that is not known here."""

from __future__ import annotations

_TAKEN = "a connection of psycopg 3, psycopg2 or asyncpg, or SQLAlchemy's on one of these"
_BY_SQL = "or run `select pgqueue.enqueue('module:function', '{}')` on it yourself"
_DJANGO = "add 'pgqueue.contrib.django' to INSTALLED_APPS"
_ADVICE = {
    "ConnectionProxy": _DJANGO,
    "DatabaseWrapper": _DJANGO,
    "CursorWrapper": _DJANGO,
    "CursorDebugWrapper": _DJANGO,
    "Engine": "use `with engine.begin() as conn:`",
    "AsyncEngine": "use `async with engine.begin() as conn:`",
    "ConnectionPool": "use `with pool.connection() as conn:`",
    "AsyncConnectionPool": "use `async with pool.connection() as conn:`",
    "Pool": "use `async with pool.acquire() as conn:`",
    "SimpleConnectionPool": "use `conn = pool.getconn()`",
    "ThreadedConnectionPool": "use `conn = pool.getconn()`",
    "str": "open it: `with psycopg.connect(dsn) as conn:`",
    "sessionmaker": "use `with Session.begin() as session:`",
}


def not_a_connection(conn: object) -> str:
    """Of whatever was passed."""
    kind = type(conn)
    if kind.__module__.partition(".")[0] == "aiopg":
        return f"conn is aiopg's {kind.__qualname__}, which is not supported; pass {_TAKEN}, {_BY_SQL}"
    advice = _ADVICE.get(kind.__name__, f"pass the one whose transaction the job belongs to, {_BY_SQL}")
    return f"conn must be {_TAKEN}, got {kind.__qualname__}; {advice}"


def is_asynchronous() -> str:
    """Of a connection of psycopg2 that was opened with async_=1, as aiopg does."""
    return f"conn is an asynchronous connection of psycopg2, which is not supported; pass {_TAKEN}, {_BY_SQL}"


def wrong_driver(raw: object) -> str:
    """Of SQLAlchemy on another driver."""
    kind = type(raw)
    return (
        f"SQLAlchemy must run on psycopg 3, psycopg2 or asyncpg here, got {kind.__module__}.{kind.__qualname__};"
        f" create the engine with postgresql+psycopg://, {_BY_SQL}"
    )


def needs_psycopg(caller: str, raw: object) -> str:
    """Of what only psycopg's connection can do."""
    return (
        f"{caller} needs a connection of psycopg 3, got {type(raw).__name__.removeprefix('On').lower()}'s; open one"
        " for it: `with pgqueue.connect() as conn:`"
    )
