"""The connection and the database that `Task.delay()` goes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pgqueue.errors import UsageError
from pgqueue.store.connection import SyncConnection, is_async

_bound: ContextVar[SyncConnection | None] = ContextVar("pgqueue.bound", default=None)


@contextmanager
def bound(conn: SyncConnection) -> Iterator[None]:
    """Make `Task.delay()` enqueue on `conn`, in the transaction open there, while the block runs."""
    if is_async(conn):
        raise UsageError(f"bound() takes no async connection, got {type(conn).__name__}; await task.enqueue(conn, ...)")
    token = _bound.set(conn)
    try:
        yield
    finally:
        _bound.reset(token)


def bound_connection() -> SyncConnection | None:
    """The connection of the innermost bound() block."""
    return _bound.get()


def be_at_home_in(dsn: str | None) -> None:
    """Have `Task.delay()` outside of bound() go to that database: in a worker's process, to where its jobs come from.

    Told so, and not by a variable: what a job starts must not inherit a password that the worker alone was given.
    """
    global _home
    _home = dsn


@contextmanager
def at_home_in(dsn: str) -> Iterator[None]:
    """Be at home in this database as long as the block runs."""
    be_at_home_in(dsn)
    try:
        yield
    finally:
        be_at_home_in(None)


def be_at_home_here(dsn: str) -> None:
    """As be_at_home_in(), for this thread alone: that of a worker in somebody's own program, which has another home."""
    _home_here.set(dsn)


def home_database() -> str | None:
    """The database that be_at_home_here() named in this thread, or be_at_home_in() in the process."""
    return _home_here.get() or _home


_home: str | None = None
_home_here: ContextVar[str | None] = ContextVar("pgqueue.home", default=None)
