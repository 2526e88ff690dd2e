"""A statement for somebody who may not have migrated: what the database says of that becomes one of our errors."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar, overload

from psycopg import errors

from pgqueue.errors import SchemaError, UsageError
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, is_async
from pgqueue.store.statement import Statement, execute
from pgqueue.version import __version__

T = TypeVar("T")
# What PostgreSQL says where a schema, a table, a function or a column is missing; and Python, of a text that the
# session's encoding does not have.
TOLD = (
    errors.UndefinedTable,
    errors.UndefinedFunction,
    errors.UndefinedColumn,
    errors.InvalidSchemaName,
    UnicodeEncodeError,
)


@overload
def ask(conn: SyncConnection, statement: Statement[T]) -> T: ...
@overload
def ask(conn: AsyncConnection, statement: Statement[T]) -> Awaitable[T]: ...
def ask(conn: AnyConnection, statement: Statement[T]) -> T | Awaitable[T]:
    """As execute(). Raises SchemaError if pgqueue's schema is missing, or of another version; the caller's transaction
    is then as psycopg leaves it after an error.
    """
    if is_async(conn):
        return telling(execute(conn, statement))
    try:
        return execute(conn, statement)
    except TOLD as error:
        raise told(error) from error


async def telling(answer: Awaitable[T]) -> T:
    """What an awaitable answers, with the errors that ask() raises."""
    try:
        return await answer
    except TOLD as error:
        raise told(error) from error


def told(error: Exception) -> Exception:
    """The error of ours that says what one of TOLD means."""
    if isinstance(error, UnicodeEncodeError):
        return UsageError(
            f"the connection's client_encoding has no {error.object[error.start : error.end]!r:.20}; say"
            " `set client_encoding = 'utf8'` on it, or leave that setting out"
        )
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if isinstance(error, errors.InvalidSchemaName) or 'relation "pgqueue.' in said:
        return SchemaError(f"this database has no schema pgqueue yet ({said}); run `pgqueue migrate` on it")
    if "pgqueue." not in said and not isinstance(error, errors.UndefinedColumn):
        # Of a trigger or a default of the user's: it is theirs to mend.
        return error
    return SchemaError(
        f"the schema pgqueue is of another version than this pgqueue {__version__} ({said}); run `pgqueue migrate`, and"
        " where that says that the database is newer, upgrade pgqueue here"
    )
