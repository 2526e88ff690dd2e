"""The connection that is lent to transactional jobs: one transaction each, and no trace of the job before.

    lend()      begins the transaction and hands out a connection object made for this job alone
    commit()    takes the server connection away from that object, checks that the transaction is still the one that
                was lent, records the success in it and commits
    roll_back() takes it away, too, and undoes

Written once for both kinds of connection: what a sync one answers is there at once, see `at_once`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Coroutine
from contextlib import suppress
from inspect import isawaitable
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from pgqueue.errors import LeaseLost, TransactionEnded
from pgqueue.store.connection import open_async_connection, open_connection
from pgqueue.store.statement import Statement, execute

T = TypeVar("T")

# The moment at which a transaction began tells it from every other one of its session, and costs no transaction id.
_IDENTITY = "select extract(epoch from now())::text"


class Lender:
    """Keeps one connection open and lends it to one job after the other."""

    def __init__(self, dsn: str, *, is_async: bool) -> None:
        self._dsn = dsn
        self._kind: Any = psycopg.AsyncConnection if is_async else psycopg.Connection
        self._open: Any = open_async_connection if is_async else open_connection
        # How to ask a lock without waiting: an asyncio.Lock that is free never waits.
        self._at_once: tuple[bool, ...] = () if is_async else (False,)
        self._server: PGconn | None = None
        self._lent: Any = None
        self._identity = ""

    async def lend(self) -> Any:
        """A connection inside a new transaction. Raises DatabaseUnreachable."""
        if self._server is not None:
            try:
                return await self._begin(self._server)
            except psycopg.Error:
                # It broke while nobody used it: no job's fault.
                self.close()
        self._server = _take(await _answer(self._open(self._dsn, "job")))
        return await self._begin(self._server)

    async def commit(self, completion: Statement[bool]) -> None:
        """Record the job's success in the lent transaction, and commit it.

        Raises LeaseLost if the attempt is late, TransactionEnded if the transaction is not the one that was lent, and
        what the database raises. Nothing was committed then, unless the connection broke under the COMMIT itself.
        """
        server = await self._reclaim()
        conn = self._kind(server)
        try:
            if fault := _FAULTS.get(TransactionStatus(server.transaction_status)):
                raise TransactionEnded(fault)
            if await _text(conn, _IDENTITY) != self._identity:
                raise TransactionEnded("the task ended the transaction it was given and began another one")
            if not await _answer(execute(conn, completion)):
                raise LeaseLost("the job's lease is gone: its transaction was rolled back")
            await _answer(conn.commit())
        finally:
            _take(conn)
            await self._clean()

    async def roll_back(self) -> None:
        """Undo the lent transaction; a connection that cannot do so is closed."""
        with suppress(TransactionEnded):
            await self._reclaim()
            await self._clean()

    def close(self) -> None:
        """Close the connection; the next job gets a new one."""
        if self._server is not None:
            self._server.finish()
        self._server = None

    async def _begin(self, server: PGconn) -> Any:
        conn = self._kind(server)
        try:
            await _answer(conn.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED))
            await _answer(conn.set_read_only(False))
            self._identity = await _text(conn, _IDENTITY)
        except BaseException:
            _take(conn)
            raise
        self._lent = conn
        return conn

    async def _reclaim(self) -> PGconn:
        """The server connection, out of reach for whatever the job left running.

        The lock of the job's connection object stays held, and the object empty: a thread of the job that goes on
        cannot reach into the next job's transaction.
        """
        conn, self._lent = self._lent, None
        if conn.lock.locked() or not await _answer(conn.lock.acquire(*self._at_once)):
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
            await _answer(conn.rollback())
            await _answer(conn.set_autocommit(True))
            await _answer(conn.execute("discard all", prepare=False))
        except psycopg.Error:
            self.close()
        finally:
            _take(conn)


_FAULTS = {
    TransactionStatus.IDLE: "the task committed or rolled back the transaction it was given; leave that to the worker",
    TransactionStatus.INERROR: "the task swallowed an error that had aborted its transaction; catch it round a"
    " `with conn.transaction():` block",
    TransactionStatus.ACTIVE: "the task returned in the middle of a statement, such as a COPY",
    TransactionStatus.UNKNOWN: "the task's connection is closed or broken",
}


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The value of a coroutine that never waits, because its connection is a sync one."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    coroutine.close()
    raise RuntimeError("a sync connection answered with an awaitable")


async def _answer(value: Any) -> Any:
    return await value if isawaitable(value) else value


async def _text(conn: Any, sql: str) -> str:
    cursor = await _answer(conn.execute(sql))
    row = await _answer(cursor.fetchone())
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
