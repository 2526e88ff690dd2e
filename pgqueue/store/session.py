"""What a connection of ours holds to: by session where that is its own, by transaction behind a pooler.

A pooler in transaction mode hands the session to somebody else at every COMMIT: whatever was set in it would follow,
and prepared statements, LISTEN and session locks would stay behind. See docs/design/poolers.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composed, Identifier, Literal

# What a role's defaults may have set otherwise. Statements judge by what is committed, so READ COMMITTED.
SETTINGS: Mapping[str, str] = {
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
}


class OwnConnection(psycopg.Connection[Any]):
    """A connection of ours; `pooled` is whether its session is shared with strangers."""

    pooled = False
    local: Mapping[str, str] = {}


class OwnAsyncConnection(psycopg.AsyncConnection[Any]):
    """As OwnConnection, for a task that is a coroutine."""

    pooled = False


def is_pooled(conn: psycopg.Connection[Any]) -> bool:
    """Whether a pooler stands between: whom the server calls by another number than the one that greeted us.

    A pooler must hand out keys for cancelling of its own making, because its servers change. One round trip.
    """
    with psycopg.ClientCursor(conn, row_factory=psycopg.rows.tuple_row) as cursor:
        return cursor.execute(_WHO).fetchone() != (conn.info.backend_pid,)


async def is_pooled_async(conn: psycopg.AsyncConnection[Any]) -> bool:
    """As is_pooled()."""
    async with psycopg.AsyncClientCursor(conn, row_factory=psycopg.rows.tuple_row) as cursor:
        return await (await cursor.execute(_WHO)).fetchone() != (conn.info.backend_pid,)


def begin_session(conn: OwnConnection) -> None:
    """Set what a session of ours holds to, or find out that the session is not ours. One round trip."""
    row = conn.execute(_SET, _params(conn.info.backend_pid, SETTINGS)).fetchone()
    if row == (0,):
        conn.pooled = True
        conn.local = _besides_transactions(SETTINGS)
        conn.prepare_threshold = None
        conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        conn.read_only = False


async def begin_async_session(conn: OwnAsyncConnection) -> None:
    """As begin_session()."""
    cursor = await conn.execute(_SET, _params(conn.info.backend_pid, SETTINGS))
    if await cursor.fetchone() == (0,):
        conn.pooled = True
        conn.prepare_threshold = None
        await conn.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)
        await conn.set_read_only(False)


def hold_to(conn: psycopg.Connection[Any], settings: Mapping[str, str]) -> None:
    """Let these settings hold for every statement that is executed on a connection of ours from now on."""
    if isinstance(conn, OwnConnection) and conn.pooled:
        conn.local = {**conn.local, **settings}
    else:
        conn.execute(_SET, _params(conn.info.backend_pid, settings))


@contextmanager
def held_to(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction round one statement, where only there the settings of `conn` can hold; elsewhere nothing."""
    if (
        not isinstance(conn, OwnConnection)
        or not (conn.pooled and conn.autocommit)
        or conn.info.transaction_status != TransactionStatus.IDLE
    ):
        yield
        return
    conn.execute(_begin(conn.local))
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            conn.execute("rollback")
        raise
    conn.execute("commit")


_WHO = "select pg_backend_pid()"
# Nothing is set if the session is another's: of no row, nothing is evaluated.
_SET = (
    "select count(set_config(name, value, false)) from unnest(%s::text[], %s::text[]) as setting (name, value)"
    " where pg_backend_pid() = %s"
)


def _params(pid: int, settings: Mapping[str, str]) -> tuple[list[str], list[str], int]:
    return list(settings), list(settings.values()), pid


def _besides_transactions(settings: Mapping[str, str]) -> dict[str, str]:
    """Without the defaults of transactions, which BEGIN itself names."""
    return {name: value for name, value in settings.items() if not name.startswith("default_transaction_")}


def _begin(local: Mapping[str, str]) -> Composed:
    """One message: BEGIN, and what holds until the COMMIT."""
    begin = SQL("begin isolation level read committed read write")
    return SQL("; ").join(
        [begin, *(SQL("set local {} = {}").format(Identifier(name), Literal(value)) for name, value in local.items())]
    )
