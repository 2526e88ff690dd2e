"""A line to the database for the attempt that runs: for what pgqueue itself asks and writes there on the job's behalf.

    run()       one statement in autocommit, on a connection that is opened at first use and kept for the next job
    call()      the way in for methods of JobContext: done at once, or awaited, as their caller needs it

What is done on a line is a coroutine, see sync_or_async.py. A connection that is lost or hangs raises in the task.
See docs/design/a-line-for-the-attempt.md.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Protocol, TypeVar

from psycopg.pq import ConnStatus, TransactionStatus

from pgqueue.errors import DatabaseUnreachable, UsageError
from pgqueue.forks import not_for_copies
from pgqueue.store.connection import AnyConnection, is_async, open_async_connection, open_connection
from pgqueue.store.deadline import DEADLINE_SECONDS
from pgqueue.store.job_rights import WORKERS_OWN, JobRights
from pgqueue.store.lender import Lender, own_role
from pgqueue.store.sockets import has_word, identity_of, is_robbed, put_out_of_reach
from pgqueue.store.statement import Statement, execute
from pgqueue.store.sync_or_async import answer, at_once

T = TypeVar("T")

# Connections of one slot, or of one event loop however many jobs it runs: a statement here takes a millisecond.
MOST = 4


class Wire(Protocol):
    """What runs the statements of a line; `one_at_a_time` if it is one session."""

    is_async: bool
    one_at_a_time: bool

    async def run(self, statement: Statement[T]) -> T:
        """Run one statement, in a transaction of its own."""

    def lender(self) -> Lender:
        """What lends one transaction after the other; for give_back()."""

    def give_back(self, lender: Lender) -> None:
        """It is free for others."""


class Line:
    """The line of one attempt; `transaction` is the connection of its task if that is transactional, else None.

    With `has_role` the task works there with another role than the session's own.
    """

    __slots__ = ("_has_role", "_wire", "loop", "transaction")

    def __init__(
        self,
        wire: Wire,
        loop: asyncio.AbstractEventLoop | None = None,
        transaction: AnyConnection | None = None,
        *,
        has_role: bool = False,
    ) -> None:
        self._has_role = has_role
        self._wire = wire
        # In which the task runs, if it is a coroutine.
        self.loop = loop
        self.transaction = transaction

    @classmethod
    def on(cls, conn: AnyConnection) -> Line:
        """A line for a test: everything is done on this connection, in the transaction open there."""
        return cls(_Given(conn), asyncio.get_running_loop() if is_async(conn) else None, conn)

    def within(self, conn: AnyConnection, *, has_role: bool = False) -> Line:
        """This line, for an attempt whose task writes in the transaction open on `conn`."""
        return Line(self._wire, self.loop, conn, has_role=has_role)

    async def run(self, statement: Statement[T]) -> T:
        """Run one statement in a transaction of its own, whatever becomes of the attempt. Raises what it raises."""
        return await self._wire.run(statement)

    async def run_within(self, statement: Statement[T]) -> T:
        """Run one statement in the transaction of a transactional task; it must have one."""
        assert self.transaction is not None
        async with own_role(self.transaction) if self._has_role else nullcontext():
            done: T = await answer(execute(self.transaction, statement))
            return done

    @property
    def one_at_a_time(self) -> bool:
        """Whether all that is done here, and lent, is one session."""
        return self._wire.one_at_a_time

    def lender(self) -> Lender:
        """What lends the attempt one transaction after the other, beside its own; for give_back()."""
        return self._wire.lender()

    def give_back(self, lender: Lender) -> None:
        """It is free for others."""
        self._wire.give_back(lender)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        if self._wire.is_async:
            await asyncio.sleep(seconds)
        else:
            time.sleep(seconds)

    def call(self, work: Coroutine[Any, Any, T]) -> T | Awaitable[T]:
        """Have work done on this line: awaitable in the event loop of an async task, elsewhere done at once."""
        return work if self._is_in_loop() else self.finish(work, "await it")

    def finish(self, work: Coroutine[Any, Any, T], instead: str) -> T:
        """Have work done before this returns. Raises UsageError in the event loop of an async task, whom it would stop.

        `instead` is what to write there.
        """
        if self.loop is None:
            return at_once(work)
        if self._is_in_loop():
            work.close()
            raise UsageError(f"this would stop the event loop that its task runs in; {instead}")
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(2 * DEADLINE_SECONDS)

    async def finish_async(self, work: Coroutine[Any, Any, T]) -> T:
        """As finish(), for coroutines; also for those of an event loop that the task has made itself."""
        if self.loop is None:
            return await asyncio.to_thread(at_once, work)
        if self._is_in_loop():
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def _is_in_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False


class OwnWire:
    """Connections of ours, which are lent to one statement after the other."""

    one_at_a_time = False

    def __init__(self, dsn: str, *, is_async: bool, rights: JobRights = WORKERS_OWN) -> None:
        self.is_async = is_async
        self._dsn = dsn
        # Of the transactions that it lends.
        self._rights = rights
        self._open: Any = open_async_connection if is_async else open_connection
        self._free: list[_Kept] = []
        self._lenders: list[Lender] = []
        self._pid = os.getpid()
        self._rooms = threading.BoundedSemaphore(MOST)
        # As the other, for coroutines: that of the event loop beside it.
        self._rooms_in: tuple[object, asyncio.Semaphore] | None = None

    async def run(self, statement: Statement[T]) -> T:
        """Run one statement, in a transaction of its own."""
        if os.getpid() != self._pid:
            raise UsageError("this is a forked copy of the process that runs the job; leave the database to that one")
        async with self._room():
            kept = self._usable() or _Kept(await answer(self._open(self._dsn, "line")))
            try:
                done: T = await answer(execute(kept.conn, statement))
            finally:
                if kept.is_idle():
                    self._free.append(kept)
                else:
                    kept.close()
            return done

    def lender(self) -> Lender:
        """One that is free, or a new one."""
        try:
            return self._lenders.pop()
        except IndexError:
            return Lender(self._dsn, is_async=self.is_async, rights=self._rights)

    def give_back(self, lender: Lender) -> None:
        """It is free for others."""
        self._lenders.append(lender)

    def close(self) -> None:
        """Close the connections that nobody uses; the next statement gets a new one."""
        while self._free:
            self._free.pop().close()
        while self._lenders:
            self._lenders.pop().close()

    def _usable(self) -> _Kept | None:
        while self._free:
            kept = self._free.pop()
            if kept.is_usable():
                return kept
        return None

    @asynccontextmanager
    async def _room(self) -> AsyncIterator[None]:
        """Until then others have all connections; whoever has one is bound by its deadline."""
        if self.is_async:
            loop = asyncio.get_running_loop()
            if self._rooms_in is None or self._rooms_in[0] is not loop:
                self._rooms_in = loop, asyncio.Semaphore(MOST)
            async with self._rooms_in[1]:
                yield
        elif self._rooms.acquire(timeout=2 * DEADLINE_SECONDS):
            try:
                yield
            finally:
                self._rooms.release()
        else:
            raise DatabaseUnreachable(f"other threads of the job use all {MOST} connections of its line")


class _Kept:
    """A connection between two statements; a job may have closed its socket meanwhile, or stopped in the middle."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self._socket = identity_of(conn.pgconn)
        not_for_copies(self)

    def is_idle(self) -> bool:
        """Whether another statement can begin."""
        server = self.conn.pgconn
        return bool(server.status == ConnStatus.OK and server.transaction_status == TransactionStatus.IDLE)

    def is_usable(self) -> bool:
        """Whether it is as it was left; one that broke while nobody used it is closed, and no job's fault."""
        if is_robbed(self.conn.pgconn, self._socket):
            return False
        if self.is_idle() and not has_word(self.conn.pgconn):
            return True
        self.close()
        return False

    def close(self) -> None:
        """Close it, unless the socket is another's."""
        if not is_robbed(self.conn.pgconn, self._socket):
            self.conn.pgconn.finish()

    def in_copy(self) -> None:
        """Put the connection out of reach: whatever the copy does with it fails."""
        put_out_of_reach(self.conn.pgconn, self._socket)


class _Given:
    """Somebody's connection, in the transaction open there."""

    one_at_a_time = True

    def __init__(self, conn: AnyConnection) -> None:
        self.is_async = is_async(conn)
        self._conn = conn

    def lender(self) -> Lender:
        """None: the transaction is somebody's own."""
        raise UsageError("a step that is given a connection needs the line of a worker")

    def give_back(self, lender: Lender) -> None:
        """Nothing was lent."""

    async def run(self, statement: Statement[T]) -> T:
        """Run one statement."""
        done: T = await answer(execute(self._conn, statement))
        return done
