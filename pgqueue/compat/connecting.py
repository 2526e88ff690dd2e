"""Which connection a call goes to: the one it is given, the one that is bound, or one of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from pgqueue.context import bound_connection, home_database
from pgqueue.database import VARIABLE, connect
from pgqueue.errors import NotBound, UsageError
from pgqueue.store.connection import SyncConnection, is_async


def callers_connection(given: Any) -> SyncConnection | None:
    """The connection whose transaction the call belongs to: `given`, else that of bound(); None if there is none."""
    conn: Any = bound_connection() if given is None else given
    if conn is not None and is_async(conn):
        raise UsageError(
            f"connection must be a sync one, got {type(conn).__name__}; on that one await task.enqueue(conn, ...)"
        )
    found: SyncConnection | None = conn
    return found


@contextmanager
def connection_for(given: Any, dsn: str | None, caller: str) -> Iterator[SyncConnection]:
    """The caller's connection, which is not committed; else one of its own, in a transaction that is."""
    conn = callers_connection(given)
    if conn is not None:
        yield conn
        return
    with own_connection(dsn, caller) as own:
        yield own


def own_connection(dsn: str | None, caller: str, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to named_database(). Raises NotBound, DatabaseUnreachable, EmbeddedError."""
    return connect(named_database(dsn, caller), autocommit=autocommit)


def named_database(dsn: str | None, caller: str) -> str:
    """The DSN of where the process is at home (in a worker), else `dsn`, else PGQUEUE_DSN. Raises NotBound."""
    named = home_database() or dsn or os.environ.get(VARIABLE)
    if not named:
        raise NotBound(
            f"{caller} has no connection: call it inside `with pgqueue.bound(conn):`, say connection=conn, or set"
            f" {VARIABLE}"
        )
    return named
