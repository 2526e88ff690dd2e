"""A statement for somebody who may not have migrated: what the database says of that becomes one of our errors."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar, overload
from uuid import UUID

from pgqueue.errors import JobNotFound
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, is_async
from pgqueue.store.direct import Rows
from pgqueue.store.meaning import TOLD, told
from pgqueue.store.statement import Statement, execute

T = TypeVar("T")


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


def required(statement: Statement[T | None], job_id: UUID) -> Statement[T]:
    """The same, which raises JobNotFound in place of answering None."""

    def read(rows: Rows) -> T:
        found = statement.read(rows)
        if found is None:
            raise JobNotFound(job_id)
        return found

    return Statement(statement.sql, statement.params, read)


async def telling(answer: Awaitable[T]) -> T:
    """What an awaitable answers, with the errors that ask() raises."""
    try:
        return await answer
    except TOLD as error:
        raise told(error) from error
