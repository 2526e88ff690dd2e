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
from inspect import isawaitable
from typing import Any, NoReturn, TypeVar

import psycopg
from psycopg.pq import ConnStatus, PGconn, PipelineStatus, TransactionStatus

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
        self._server: PGconn | None = None
        self._lent: Any = None
        self._identity = ""

    async def lend(self) -> Any:
        """A connection inside a new transaction. Raises DatabaseUnreachable."""
        if self._server is not None:
            try:
                return await self._begun(self._server)
            except psycopg.Error:
                # It broke while nobody used it: no job's fault.
                self.close()
        self._server = _taken(await _answer(self._open(self._dsn, "job")))
        return await self._begun(self._server)

    async def commit(self, completion: Statement[bool]) -> None:
        """Record the job's success in the lent transaction, and commit it.

        Raises LeaseLost if the attempt is late, TransactionEnded if the transaction is not the one that was lent, and
        what the database raises; nothing is committed then, unless the connection broke under the COMMIT itself.
        """
        server = self._reclaimed()
        if fault := _fault(server):
            await self._undo()
            raise TransactionEnded(fault)
        conn = self._kind(server)
        try:
            if await _text(conn, _IDENTITY) != self._identity:
                raise TransactionEnded("the task ended the transaction it was given, and began another one")
            if not await _answer(execute(conn, completion)):
                raise LeaseLost("the job belongs to another attempt by now: rolled back")
            await _answer(conn.commit())
        except BaseException:
            _taken(conn)
            await self._undo()
            raise
        _taken(conn)
        await self._forget()

    async def roll_back(self) -> None:
        """Undo the lent transaction; never raises, a connection that cannot roll back is closed."""
        try:
            self._reclaimed()
        except TransactionEnded:
            return
        await self._undo()

    def close(self) -> None:
        """Close the connection; the next job gets a new one."""
        if self._server is not None:
            self._server.finish()
        self._server = None

    async def _begun(self, server: PGconn) -> Any:
        conn = self._kind(server)
        try:
            await _answer(conn.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED))
            await _answer(conn.set_read_only(False))
            self._identity = await _text(conn, _IDENTITY)
        except BaseException:
            _taken(conn)
            raise
        self._lent = conn
        return conn

    def _reclaimed(self) -> PGconn:
        """The server connection, out of reach for what the job left running.

        Its lock stays held and its connection object empty: a thread of the job that goes on cannot disturb the next.
        """
        conn, self._lent = self._lent, None
        server, self._server = self._server, None
        if conn.lock.locked():
            _cut(server)
            raise TransactionEnded("something that the task had started was still using its connection when it ended")
        _lock(conn)
        _taken(conn)
        self._server = server
        return server  # type: ignore[return-value]  # set since lend()

    async def _undo(self) -> None:
        server = self._server
        if server is None or server.transaction_status not in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            if server is not None and server.transaction_status != TransactionStatus.IDLE:
                self.close()
                return
        await self._forget("rollback")

    async def _forget(self, *first: str) -> None:
        """Leave nothing of the job in the session: temporary tables, settings, role, locks, statements."""
        server = self._server
        if server is None or _is_broken(server):
            self.close()
            return
        conn = self._kind(server)
        try:
            for command in (*first, "discard all"):
                if command != "rollback" or server.transaction_status != TransactionStatus.IDLE:
                    await _command(conn, command)
        except psycopg.Error:
            _taken(conn)
            self.close()
        else:
            _taken(conn)


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The value of a coroutine that never waits, because its connection is a sync one."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    coroutine.close()
    raise RuntimeError("a sync connection answered with an awaitable")
