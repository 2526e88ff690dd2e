"""From what Django has for a connection to the driver's own below it, in the transaction that Django has open there."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils.connection import ConnectionProxy

from pgqueue.errors import UsageError


def below(conn: object) -> object | None:
    """The driver's open connection below Django's connection, cursor or the name of an alias; None of other things.

    Opened as Django opens it, at the first use, and anew if it is known to be lost and no transaction is open.
    Raises UsageError for another database than PostgreSQL and for an unknown alias; what Django raises for a broken
    transaction, another thread, and an event loop.
    """
    wrapper = wrapper_of(conn)
    return None if wrapper is None else _opened(wrapper)


def wrapper_of(conn: object) -> Any:
    """Django's own object for the connection that is meant; None if it is none of Django's. Raises UsageError."""
    if isinstance(conn, BaseDatabaseWrapper):
        return conn
    if isinstance(conn, CursorWrapper):
        return conn.db
    if isinstance(conn, ConnectionProxy):
        alias = getattr(conn, "alias", None)
        # Caches and backends of tasks have such proxies, too.
        return connections[alias] if alias in connections and conn == connections[alias] else None
    return _named(conn) if isinstance(conn, str) else None


def _named(alias: str) -> Any:
    if alias in connections:
        return connections[alias]
    if "=" in alias or ":" in alias:
        # A DSN: whoever was given it says what it is no connection for.
        return None
    raise UsageError(f"DATABASES has no {alias!r}; it has {', '.join(connections)}")


def _opened(wrapper: Any) -> object:
    if wrapper.vendor != "postgresql":
        raise UsageError(
            f"the database {wrapper.alias!r} is {wrapper.display_name}, and jobs live in PostgreSQL; name an alias of"
            " DATABASES that is PostgreSQL"
        )
    wrapper.validate_thread_sharing()
    wrapper.validate_no_broken_transaction()
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    if wrapper.connection.closed and not wrapper.in_atomic_block:
        # Django hears of errors by its own cursors alone, and would keep what a call of ours found lost.
        wrapper.close()
        wrapper.ensure_connection()
    opened: object = wrapper.connection
    return opened
