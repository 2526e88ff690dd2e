"""Questions to the database beside an event loop: on few connections, each sees one moment and is soon over."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any, Protocol, TypeVar

import psycopg

from pgqueue.database import address_of
from pgqueue.embedded import is_embedded
from pgqueue.errors import DatabaseUnreachable, PgqueueError, UsageError
from pgqueue.store.connection import act_for, open_connection
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.dsn import read
from pgqueue.store.looking import look
from pgqueue.store.schema import require_schema
from pgqueue.store.session import take_any_text

T = TypeVar("T")
Conn = psycopg.Connection[Any]

# Connections, whatever the number of browsers; and requests that may wait for one.
MOST_CONNECTIONS = 4
MOST_WAITING = 100
# Seconds after which a connection that nobody needed is closed.
IDLE = 60.0


class Busy(PgqueueError):
    """The database did not answer in time, or too many questions wait for it."""

    def __init__(self) -> None:
        super().__init__("the database did not answer in time: it is busy, or a table is locked")


class Pool(Protocol):
    """A pool as psycopg_pool's."""

    def connection(self) -> AbstractContextManager[Conn]:
        """A connection that goes back at the end of the block."""
        ...


def seen(conn: Conn, question: Callable[[Conn], T]) -> T:
    """What `question` answers in a read-only transaction of its own. Raises Busy if it takes too long."""
    answers = look(conn, lambda conn: (question(conn),))
    if answers is None:
        raise Busy
    return answers[0]


class Reads:
    """Asks questions on connections of its own, which may act for a tenant, or on those of a pool."""

    def __init__(self, dsn: str | None, pool: Pool | None, tenant: str | None = None) -> None:
        if pool is not None and tenant is not None:
            raise UsageError("users of tenants need a dashboard with a DSN: a pool's connections are others', too")
        self.dsn, self._pool, self._tenant = dsn, pool, tenant
        self._threads = ThreadPoolExecutor(MOST_CONNECTIONS, thread_name_prefix="pgqueue dashboard")
        self._lock = Lock()
        self._idle: list[tuple[float, Conn]] = []  # guarded by the lock, as is _closed
        self._closed = False
        self._waiting = 0

    @property
    def place(self) -> str:
        """The database, in a word for people; nothing of a secret."""
        if self.dsn is None:
            return "a pool"
        if is_embedded(self.dsn):
            return "embedded"
        try:
            given = read(self.dsn)
        except DatabaseUnreachable:
            return "a database"
        return f"{given.get('dbname') or 'default'} on {given.get('host') or given.get('hostaddr') or 'this machine'}"

    async def ask(self, question: Callable[[Conn], T]) -> T:
        """What `question` answers, which it asks in a thread. Raises our own errors: Busy, DatabaseUnreachable, ..."""
        return await self._in_thread(self._ask, question)

    async def do(self, act: Callable[[Conn], T]) -> T:
        """What `act` does, which is done once: a connection that had died is found out before. Raises as ask()."""
        return await self._in_thread(self._do, act)

    def lend(self) -> AbstractContextManager[Conn]:
        """A connection until the end of the block, for work in a thread of one's own."""
        return self._connection()

    def close(self) -> None:
        """Close what was opened."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, conn in idle:
            conn.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, ask: Callable[[Callable[[Conn], T]], T], question: Callable[[Conn], T]) -> T:
        if self._waiting >= MOST_CONNECTIONS + MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask, question)
        finally:
            self._waiting -= 1

    def _do(self, act: Callable[[Conn], T]) -> T:
        with diagnosed():
            begun = False
            try:
                with self._connection() as conn:
                    conn.execute("select 1")
                    conn.rollback()
                    begun = True
                    return act(conn)
            except psycopg.OperationalError:
                if begun:
                    raise
            return self._once(act)

    def _ask(self, question: Callable[[Conn], T]) -> T:
        with diagnosed():
            try:
                return self._once(question)
            except psycopg.OperationalError as error:
                # A connection that waited may have died meanwhile: a restart, a proxy that forgot it.
                if error.sqlstate is not None and not error.sqlstate.startswith(("08", "57P")):
                    raise
            return self._once(question)

    def _once(self, question: Callable[[Conn], T]) -> T:
        with self._connection() as conn:
            return question(conn)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Conn]:
        if self._pool is not None:
            with self._pool.connection() as conn:
                yield conn
            return
        conn = self._waiting_one() or self._open()
        try:
            yield conn
        except psycopg.OperationalError:
            conn.close()
            self._forget_idle()
            raise
        finally:
            self._put_back(conn)

    def _open(self) -> Conn:
        assert self.dsn is not None, "there is a pool, or a DSN"
        conn = open_connection(address_of(self.dsn), "dashboard", deadline=5.0)
        try:
            require_schema(conn)
            if self._tenant is not None:
                act_for(conn, self._tenant)
            take_any_text(conn)
        except BaseException:
            conn.close()
            raise
        return conn

    def _waiting_one(self) -> Conn | None:
        now = time.monotonic()
        with self._lock:
            old = [conn for since, conn in self._idle if now - since > IDLE]
            self._idle = [each for each in self._idle if now - each[0] <= IDLE]
            found = self._idle.pop()[1] if self._idle else None
        for conn in old:
            conn.close()
        return found

    def _put_back(self, conn: Conn) -> None:
        with self._lock:
            if not conn.closed and not self._closed:
                self._idle.append((time.monotonic(), conn))
                return
        conn.close()

    def _forget_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, each in idle:
            each.close()


def is_reachable(conn: Conn) -> bool:
    """Whether the database answers at all."""
    try:
        return conn.execute("select 1").fetchone() is not None
    except psycopg.Error as error:
        raise DatabaseUnreachable(str(error)) from error
