"""What an error says of its connection and of the server: gone, refused for now, or about the statement alone."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.unreachable import in_one_line

_READ_ONLY = "25006"
# Serialization failure, deadlock, lock not available, canceled, and read-only; with 53, no room, and 58, no disk.
_PASSING = frozenset({"40001", "40P01", "55P03", "57014", _READ_ONLY})


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
