"""Somebody's open connection, lent to attempts inside the transaction that is open there: a savepoint each.

    over()        another connection object, of either kind, above the same session: as a worker makes one for each job
    Borrowed      lends such objects as a Lender does its own; what commit() keeps is the caller's to commit
    BorrowedWire  runs the statements of an attempt's line there

For tests that roll everything back. A session can be used by one of its objects at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from pgqueue.errors import LeaseLost, TransactionEnded, UsageError
from pgqueue.store.lender import Lender
from pgqueue.store.line import OwnWire
from pgqueue.store.statement import Statement, execute
from pgqueue.store.sync_or_async import answer

T = TypeVar("T")
_IDENTITY = "select pg_catalog.concat_ws(' ', extract(epoch from pg_catalog.now()), current_user)"


@contextmanager
def over(server: PGconn, kind: Any = psycopg.Connection) -> Iterator[Any]:
    """A fresh connection object above a session, with psycopg's own settings; the session outlives it."""
    conn = _above(server, kind)
    handlers = server.notice_handler, server.notify_handler
    try:
        yield conn
    finally:
        _leave(conn, server, handlers)


class Borrowed(Lender):
    """Lends one session to attempts, one after the other, each in a savepoint, or a transaction if none is open."""

    def __init__(self, server: PGconn, *, is_async: bool) -> None:
        super().__init__("", is_async=is_async)
        self._borrowed = server
        self._object: Any = psycopg.AsyncConnection if is_async else psycopg.Connection
        self._handlers: Any = None
        self._block: Any = None

    async def lend(self, tenant: str | None = None) -> Any:
        """A connection inside a new savepoint, in which it acts for a tenant."""
        self._handlers = self._borrowed.notice_handler, self._borrowed.notify_handler
        conn = _above(self._borrowed, self._object)
        self._block = conn.transaction()
        try:
            await answer(_enter(self._block))
            self._identity = await _text(conn)
            if tenant is not None:
                await answer(conn.execute("select pg_catalog.set_config('pgqueue.tenant', %s, true)", (tenant,)))
        except BaseException:
            _leave(conn, self._borrowed, self._handlers)
            raise
        self._lent = conn
        return conn

    async def commit(self, completion: Statement[bool]) -> None:
        """Record the job's success and release the savepoint. Raises LeaseLost, TransactionEnded."""
        conn = self._lent
        try:
            await self._check(conn)
            if not await answer(execute(conn, completion)):
                raise LeaseLost("the job's lease is gone: its transaction was rolled back")
            await answer(_leave_block(self._block, None))
        except BaseException:
            await self.roll_back()
            raise
        self._give_back()

    async def go_on(self, mark: Statement[bool]) -> None:
        """Record how far the job is, keep what it has done so far, and begin the next savepoint. Raises as commit()."""
        conn = self._lent
        await self._check(conn)
        if not await answer(execute(conn, mark)):
            raise LeaseLost("the job's lease is gone: its transaction was rolled back")
        await answer(_leave_block(self._block, None))
        self._block = conn.transaction()
        await answer(_enter(self._block))
        self._identity = await _text(conn)

    async def roll_back(self) -> None:
        """Undo what was done since the savepoint."""
        if self._lent is not None:
            with suppress(psycopg.Error):
                await answer(_leave_block(self._block, psycopg.Rollback()))
            self._give_back()

    def was_ended(self, error: BaseException) -> bool:
        """Never: whose connection it is finds out itself."""
        return False

    def in_copy(self) -> None:
        """Nothing: it is not ours to end."""

    def close(self) -> None:
        """Nothing: it is not ours to close."""

    async def _check(self, conn: Any) -> None:
        status = TransactionStatus(self._borrowed.transaction_status)
        if status is TransactionStatus.INERROR:
            raise TransactionEnded(
                "the task swallowed an error that had aborted its transaction; catch it round a"
                " `with conn.transaction():` block"
            )
        if status is not TransactionStatus.INTRANS or await _text(conn) != self._identity:
            raise TransactionEnded("the task ended the transaction it was given, and the test's with it")

    def _give_back(self) -> None:
        conn, self._lent = self._lent, None
        _leave(conn, self._borrowed, self._handlers)


class BorrowedWire(OwnWire):
    """Runs the statements of lines on one session, in the transaction that is open there, or each in its own.

    None is for attempts that were given no database.
    """

    one_at_a_time = True

    def __init__(self, server: PGconn | None, *, is_async: bool) -> None:
        super().__init__("", is_async=is_async)
        self._borrowed = server
        self._object: Any = psycopg.AsyncConnection if is_async else psycopg.Connection

    def lender(self) -> Lender:
        """What lends the session."""
        return Borrowed(self._known(), is_async=self.is_async)

    async def run(self, statement: Statement[T]) -> T:
        """Run one statement."""
        self._known()
        assert self._borrowed is not None
        with over(self._borrowed, self._object) as conn:
            if self._borrowed.transaction_status == TransactionStatus.IDLE:
                await answer(conn.set_autocommit(True))
            done: T = await answer(execute(conn, statement))
            return done

    def _known(self) -> PGconn:
        if self._borrowed is None:
            raise UsageError("the task asks the database through its job: run_job(task, args, conn=conn)")
        return self._borrowed


def _above(server: PGconn, kind: Any) -> Any:
    conn = kind(server)
    # Names of prepared statements are the session's, and other objects above it have used some.
    conn.prepare_threshold = None
    return conn


def _leave(conn: Any, server: PGconn, handlers: Any) -> None:
    conn.pgconn = psycopg.pq.PGconn()
    server.notice_handler, server.notify_handler = handlers


def _enter(block: Any) -> Any:
    return block.__aenter__() if hasattr(block, "__aenter__") else block.__enter__()


def _leave_block(block: Any, error: BaseException | None) -> Any:
    leave = block.__aexit__ if hasattr(block, "__aexit__") else block.__exit__
    return leave(None if error is None else type(error), error, None)


async def _text(conn: Any) -> str:
    cursor = await answer(conn.execute(_IDENTITY))
    row = await answer(cursor.fetchone())
    return str(row[0])
