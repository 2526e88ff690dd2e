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

from pgqueue.forks import dead_end
from pgqueue.store.deadline import DEADLINE_SECONDS, PunctualAsyncConnection, PunctualConnection

# What a role's defaults may have set otherwise. Statements judge by what is committed, so READ COMMITTED. A job may
# think between two statements as long as its own timeout allows. A backend whose client vanished in silence must not
# hold its locks for the hours after which the server would look by itself.
SETTINGS: Mapping[str, str] = {
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{int(DEADLINE_SECONDS * 1000)}ms",
}
# The server gives up before we do: then it is known that nothing was done, and the connection is still good.
SERVER_SHARE = 0.8


class OwnConnection(PunctualConnection):
    """A connection of ours; `pooled` is whether its session is shared with strangers."""

    pooled = False
    local: Mapping[str, str] = {}

    def in_copy(self) -> None:
        """Leave the session to the process that it belongs to: as long as a copy held it, it would outlive that."""
        if not self.closed:
            dead_end(self.pgconn.socket)


class OwnAsyncConnection(PunctualAsyncConnection):
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


def begin_session(conn: OwnConnection, besides: Mapping[str, str]) -> None:
    """Set what a session of ours holds to, or find out that the session is not ours. One round trip."""
    settings = {**_settings(conn.deadline), **besides}
    row = conn.execute(_SET, _params(conn.info.backend_pid, settings)).fetchone()
    if row == (0,):
        conn.pooled = True
        conn.local = _local(settings)
        conn.prepare_threshold = None
        conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        conn.read_only = False


def begin_acting(conn: OwnConnection, tenant: str) -> None:
    """Have this session act for a tenant."""
    conn.execute(_ACT_FOR, (tenant,))


async def begin_async_session(conn: OwnAsyncConnection) -> None:
    """As begin_session()."""
    cursor = await conn.execute(_SET, _params(conn.info.backend_pid, _settings(conn.deadline)))
    if await cursor.fetchone() == (0,):
        conn.pooled = True
        conn.prepare_threshold = None
        await conn.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)
        await conn.set_read_only(False)


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
    try:
        conn.execute(_begin(conn.local))
    except psycopg.errors.FeatureNotSupported as error:
        # So says a standby; elsewhere a statement that writes would be told this.
        raise psycopg.errors.ReadOnlySqlTransaction(str(error)) from error
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            conn.execute("rollback")
        raise
    conn.execute("commit")


def take_any_text(conn: OwnConnection) -> None:
    """Let text come as it is from a database that knows no encoding: the server would refuse a row that is no UTF-8."""
    if conn.info.parameter_status("server_encoding") == "SQL_ASCII" and not conn.pooled:
        conn.execute("set client_encoding to 'SQL_ASCII'")


_WHO = "select pg_catalog.pg_backend_pid()"
_ACT_FOR = "select pg_catalog.set_config('pgqueue.tenant', %s, false)"
# Nothing is set if the session is another's: of no row, nothing is evaluated. A setting that this server does not know
# is left out. A role or a DSN that only reads by default can work all the same, but a whole server that was made
# read-only, by a failover or a full disk, is not to be written to.
_SET = """
select pg_catalog.count(pg_catalog.set_config(name, value, false))
from unnest(%s::pg_catalog.text[], %s::pg_catalog.text[]) as setting (name, value)
where pg_catalog.pg_backend_pid() operator(pg_catalog.=) %s::int
  and pg_catalog.current_setting(name, true) is not null
  and (name operator(pg_catalog.<>) 'default_transaction_read_only'
       or (select given.source operator(pg_catalog.=) any (array['user', 'database user', 'client'])
           from pg_catalog.pg_settings as given
           where given.name operator(pg_catalog.=) setting.name))
"""


def _settings(deadline: float | None) -> Mapping[str, str]:
    milliseconds = 0 if deadline is None else int(deadline * SERVER_SHARE * 1000)
    return {**SETTINGS, "statement_timeout": f"{milliseconds}ms"}


def _params(pid: int, settings: Mapping[str, str]) -> tuple[list[str], list[str], int]:
    return list(settings), list(settings.values()), pid


def _local(settings: Mapping[str, str]) -> dict[str, str]:
    """What can hold for one transaction: without what BEGIN itself names, and what is the session's or the wire's."""
    return {name: settings[name] for name in _TRANSACTIONS if name in settings}


_TRANSACTIONS = ("statement_timeout", "lock_timeout", "search_path")


def _begin(local: Mapping[str, str]) -> Composed:
    """One message: BEGIN, and what holds until the COMMIT."""
    begin = SQL("begin isolation level read committed read write")
    return SQL("; ").join(
        [begin, *(SQL("set local {} = {}").format(Identifier(name), Literal(value)) for name, value in local.items())]
    )
