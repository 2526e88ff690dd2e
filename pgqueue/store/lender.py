"""The connection that is lent to transactional jobs: one transaction each, and no trace of the job before.

    lend()      begins the transaction and hands out a connection object made for this job alone
    go_on()     commits what was done so far, and lends the next transaction on the same connection object
    commit()    takes the server connection away from that object, checks that the transaction is still the one that
                was lent, records the success in it and commits
    roll_back() takes it away, too, and undoes

Written once for both kinds of connection, see sync_or_async.py.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.rows import tuple_row

from pgqueue.errors import DatabaseUnreachable, LeaseLost, TransactionEnded
from pgqueue.forks import not_for_copies
from pgqueue.store.connection import open_async_connection, open_connection
from pgqueue.store.deadline import DEADLINE_SECONDS, PunctualAsyncConnection, PunctualConnection
from pgqueue.store.job_rights import WORKERS_OWN, JobRights
from pgqueue.store.session_cleaning import forget_behind_pooler, undo_and_forget, undo_behind_pooler
from pgqueue.store.sockets import identity_of, is_robbed, put_out_of_reach
from pgqueue.store.statement import Statement, execute
from pgqueue.store.sync_or_async import answer

# The moment at which a transaction began tells it from every other one of its session, and costs no transaction id.
_IDENTITY = "select pg_catalog.concat_ws(' ', extract(epoch from pg_catalog.now()), current_user)"
# The job's timeout is its limit, not what a role's defaults say about the statements of other programs.
_UNHURRIED = """
(select pg_catalog.count(pg_catalog.set_config(name, '0', true))
 from pg_catalog.unnest(
   array['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'])
   as limits (name)
 where pg_catalog.current_setting(name, true) operator(pg_catalog.<>) '0')
"""
_BEGIN = f"{_IDENTITY}, {_UNHURRIED}"
_FOR_TENANT = "pg_catalog.set_config('pgqueue.tenant', %s, true)"


# A role is put off. First comes what the COMMIT would do with the rights of another: deferred triggers that the task
# has made, and its cursors WITH HOLD.
_PUT_OFF = "set constraints all immediate; close all; reset session authorization; reset role"
TAKE_ON = "pg_catalog.set_config('role', %s, true)"


class Lender:
    """Keeps one connection open and lends it to one job after the other."""

    def __init__(self, dsn: str, *, is_async: bool, rights: JobRights = WORKERS_OWN) -> None:
        self._dsn = rights.dsn or dsn
        # As which the task works in the transaction; what we ask and write there is the session's own role's.
        self.role = rights.role
        self._kind: Any = PunctualAsyncConnection if is_async else PunctualConnection
        self._open: Any = open_async_connection if is_async else open_connection
        # How to ask a lock without waiting: an asyncio.Lock that is free never waits.
        self._at_once: tuple[bool, ...] = () if is_async else (False,)
        self._server: PGconn | None = None
        self._socket = (0, 0)
        self._pid = os.getpid()
        self._lent: Any = None
        self._identity = ""
        # Whether the server said that it ends the lent connection: it stops, or another of its processes crashed.
        self._ended = False
        # Behind a pooler the session is ours between BEGIN and COMMIT alone.
        self._pooled = False
        # For whom the lent transaction acts.
        self._tenant: str | None = None
        not_for_copies(self)

    async def lend(self, tenant: str | None = None) -> Any:
        """A connection inside a new transaction, which acts for a tenant. Raises DatabaseUnreachable."""
        self._tenant = tenant
        if self._server is not None and self._is_whole(self._server):
            try:
                return await self._begin(self._server)
            except psycopg.Error:
                # It broke while nobody used it: no job's fault.
                self.close()
        conn = await answer(self._open(self._dsn, "job"))
        self._pooled = conn.pooled
        self._server = server = _take(conn)
        self._socket = identity_of(server)
        try:
            return await self._begin(server)
        except psycopg.Error as error:
            # It broke at once, or it leads to a standby.
            self.close()
            raise DatabaseUnreachable(f"no transaction can begin: {error}") from error

    async def commit(self, completion: Statement[bool]) -> None:
        """Record the job's success in the lent transaction, and commit it.

        Raises LeaseLost if the attempt is late, TransactionEnded if the transaction is not the one that was lent, and
        what the database raises. Nothing was committed then, unless the connection broke under the COMMIT itself.
        """
        server = await self._reclaim()
        conn = self._kind(server)
        try:
            if fault := _fault_of(server):
                raise TransactionEnded(fault)
            await self._check_identity(conn)
            if not await answer(execute(conn, completion)):
                raise LeaseLost("the job's lease is gone: its transaction was rolled back")
            if self._pooled:
                await forget_behind_pooler(conn)
            await answer(conn.commit())
        finally:
            _take(conn)
            await self._clean()

    async def go_on(self, mark: Statement[bool]) -> None:
        """Record how far the job is in the lent transaction, commit it, and lend the next one on the same object.

        Raises as commit(); then nothing was committed, unless the connection broke under the COMMIT or behind it.
        """
        conn, server = self._lent, self._server
        if os.getpid() != self._pid:
            raise TransactionEnded("this is a forked copy of the process that was lent the connection")
        if server is None or not self._is_whole(server):
            raise TransactionEnded("the task closed the socket of its connection")
        if conn.lock.locked():
            raise TransactionEnded("a thread or coroutine of the task was using its connection when it yielded")
        if fault := _fault_of(server):
            raise TransactionEnded(fault)
        conn.deadline = DEADLINE_SECONDS
        try:
            await self._check_identity(conn)
            if not await answer(execute(conn, mark)):
                raise LeaseLost("the job's lease is gone: its transaction was rolled back")
            if self._pooled:
                await forget_behind_pooler(conn)
            await answer(conn.commit())
            await self._meet(conn)
        finally:
            conn.deadline = None

    async def roll_back(self) -> None:
        """Undo the lent transaction; a connection that cannot do so is closed."""
        with suppress(TransactionEnded):
            await self._reclaim()
            await self._clean()

    def was_ended(self, error: BaseException) -> bool:
        """Whether the server itself ended the lent connection, as it does when it stops: no fault of the job.

        A connection that breaks without a word may have been broken by what the job asked.
        """
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        return self._server is None and (self._ended or (state is not None and state.startswith("57P0")))

    def in_copy(self) -> None:
        """Put the connection out of reach, without a word to the server: whatever the copy does with it fails."""
        for conn in (self._server, getattr(self._lent, "pgconn", None)):
            if conn is not None:
                put_out_of_reach(conn, self._socket)

    def close(self) -> None:
        """Close the connection; the next job gets a new one."""
        if self._server is not None:
            self._server.finish()
        self._server = None

    async def _begin(self, server: PGconn) -> Any:
        conn = self._kind(server)
        try:
            await answer(conn.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED))
            await answer(conn.set_read_only(False))
            if self._pooled:
                conn.prepare_threshold = None
            await self._meet(conn)
        except BaseException:
            _take(conn)
            raise
        # What the task asks may take as long as its timeout allows; what we ask has our own deadline.
        conn.deadline = None
        self._ended = False
        conn.add_notice_handler(self._hear)
        self._lent = conn
        return conn

    async def _meet(self, conn: Any) -> None:
        """Begin the transaction, and know it again; from then on it acts for a tenant, and with the role of jobs."""
        if self._tenant is None and self.role is None:
            self._identity = await _text(conn, _BEGIN)
            return
        taken = [
            (sql, value) for sql, value in ((_FOR_TENANT, self._tenant), (TAKE_ON, self.role)) if value is not None
        ]
        begin = ", ".join([_BEGIN, *(sql for sql, _ in taken)])
        self._identity = await _text(conn, begin, tuple(value for _, value in taken))

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        self._ended = self._ended or (notice.sqlstate or "").startswith("57P0")

    async def _check_identity(self, conn: Any) -> None:
        """Whether it is the transaction that was lent, by its moment; a role that the task has taken on is put off."""
        identity = await _text(conn, _IDENTITY)
        if identity.partition(" ")[0] != self._identity.partition(" ")[0]:
            raise TransactionEnded("the task ended the transaction it was given and began another one")
        if identity != self._identity:
            # Its success is written by the session's own role: the task's may have no right to.
            await answer(conn.execute(_PUT_OFF, prepare=False))

    def _is_whole(self, server: PGconn) -> bool:
        """Whether its socket is still the one that was opened; if not, the connection is given up.

        A job may close every file: the number then may be a file of its own, or nobody's.
        """
        if not is_robbed(server, self._socket):
            return True
        self._server = None
        return False

    async def _reclaim(self) -> PGconn:
        """The server connection, out of reach for whatever the job left running.

        The lock of the job's connection object stays held, and the object empty: a thread of the job that goes on
        cannot reach into the next job's transaction.
        """
        conn, self._lent = self._lent, None
        if os.getpid() != self._pid:
            raise TransactionEnded("this is a forked copy of the process that was lent the connection")
        if self._server is None or not self._is_whole(self._server):
            raise TransactionEnded("the task closed the socket of its connection")
        if conn.lock.locked() or not await answer(conn.lock.acquire(*self._at_once)):
            _cut_off(conn.pgconn)
            self._server = None
            raise TransactionEnded("a thread or coroutine of the task was still using its connection when it returned")
        return _take(conn)

    async def _clean(self) -> None:
        """Leave nothing of a job in the session: transaction, temporary tables, settings, role, locks, statements."""
        if self._server is None:
            return
        conn = self._kind(self._server)
        try:
            if self._pooled:
                await undo_behind_pooler(conn)
            else:
                await undo_and_forget(conn)
        except psycopg.Error:
            self.close()
        finally:
            _take(conn)


@asynccontextmanager
async def own_role(conn: Any) -> AsyncIterator[None]:
    """A block in a task's transaction with the session's own role, for what pgqueue writes there.

    Behind it the task has its own again, also one that it took on itself.
    """
    worn = await _text(conn, f"select pg_catalog.current_setting('role'), {TAKE_ON}", ("none",))
    yield
    if conn.info.transaction_status == TransactionStatus.INTRANS:
        await _text(conn, f"select {TAKE_ON}", (worn,))


def _fault_of(server: PGconn) -> str | None:
    if server.pipeline_status != PipelineStatus.OFF:
        return "the task left its connection in pipeline mode"
    return _FAULTS.get(TransactionStatus(server.transaction_status))


_FAULTS = {
    TransactionStatus.IDLE: "the task committed or rolled back the transaction it was given; leave that to the worker",
    TransactionStatus.INERROR: "the task swallowed an error that had aborted its transaction; catch it round a"
    " `with conn.transaction():` block",
    TransactionStatus.ACTIVE: "the task returned in the middle of a statement, such as a COPY",
    TransactionStatus.UNKNOWN: "the task's connection is closed or broken",
}


async def _text(conn: Any, sql: str, params: tuple[str, ...] | None = None) -> str:
    # Of the task's own connection the task may have set another row factory.
    cursor = conn.cursor(row_factory=tuple_row)
    await answer(cursor.execute(sql, params))
    row = await answer(cursor.fetchone())
    return str(row[0])


def _take(conn: Any) -> PGconn:
    """The server connection of a connection object, which is closed without it."""
    server: PGconn = conn.pgconn
    conn.pgconn = psycopg.pq.PGconn()
    return server


def _cut_off(server: PGconn) -> None:
    """End a connection that another thread is using: to free it under that thread would crash the process."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(server.socket)) as wire:
        wire.shutdown(socket.SHUT_RDWR)
