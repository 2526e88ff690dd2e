"""The one loop that every role has: a thread with a connection of its own, which outlives the database's absence."""

from __future__ import annotations

import contextlib
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from pgqueue.errors import DatabaseUnreachable, HostExhausted
from pgqueue.events import Event, HostFailed, Observer
from pgqueue.host import lack_of
from pgqueue.server_details import without_details
from pgqueue.store import execute, history, locks
from pgqueue.store.connection import open_connection
from pgqueue.store.deadline import DEADLINE_SECONDS
from pgqueue.store.locks import LOCK_PATIENCE
from pgqueue.store.outages import in_words, is_lost, is_outage, is_refusal, was_ended_by_hand
from pgqueue.worker.outage import Outage, Stuck

Connection = psycopg.Connection[Any]

# Pauses between attempts grow from the first to the last; jitter keeps a fleet from arriving together.
FIRST_PAUSE, LAST_PAUSE = 0.05, 4.0
# The longest pause where connections can be had but do not last.
CUT_PAUSE = 0.4
# The longest pause of a worker that is ending and has something left to write.
HURRIED_PAUSE = 0.1
# After an error that is not the database's, so that a bug cannot turn into a busy loop.
TROUBLE_PAUSE = 1.0


def require_commits(conn: Connection) -> None:
    """Raise DatabaseUnreachable while commits wait for a synchronous standby that is away.

    A session that waits for it cannot be ended by its client. Whoever was let down by one, and tries again with the
    next, would leave behind one after the other.
    """
    if (hanging := execute(conn, history.hanging_commit())) is not None:
        raise DatabaseUnreachable(f"commits wait for a synchronous standby (SyncRep): {hanging}")


class Loop:
    """Calls `tick(conn)` in a thread of its own until stopped; a tick answers how many seconds to wait for the next.

    `connected(conn)` runs after each connect, before the first tick. wake() ends a wait early, but no pause after an
    error: those who wake are many, and the database is in need. turn() does not even wait for the thread. No statement
    is waited for longer than `deadline` seconds. start() returns when the thread runs, stop() when it has ended; both
    may be called twice.
    """

    def __init__(
        self,
        role: str,
        dsn: str,
        tick: Callable[[Connection], float],
        observe: Observer,
        connected: Callable[[Connection], None] | None = None,
        *,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self.role = role
        self.turned_at = time.monotonic()
        self._dsn = dsn
        self._tick = tick
        self._observe = observe
        self._connected = connected
        self._deadline = deadline
        self._conn: Connection | None = None
        self._awake = threading.Event()
        self._turning = threading.Lock()  # held for a tick, by whichever thread runs it, and to close the connection
        # Whether its own thread waits for the next tick, and until when: it does not while it pauses after an error.
        self._waiting = False
        self._wakes_at = 0.0
        self._stopping = threading.Event()
        self._hurried = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pgqueue-{role}", daemon=True)
        self._outage = Outage(role)
        self._pause = FIRST_PAUSE
        # Why the last tick failed, and since when each has; None if it did not.
        self.stuck: Stuck | None = None
        # Since when a tick is under way, monotonic; None between two.
        self.busy_since: float | None = None
        # Whether a connection alone proves nothing, because what it was used for was refused.
        self._refused = False

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if self._thread.ident is None:
            self.turned_at = time.monotonic()
            self._thread.start()

    def wake(self) -> None:
        """End the current wait; from any thread."""
        self._awake.set()

    def turn(self) -> float:
        """Tick now, in the caller's thread, if the loop only waits; else wake it. Spares the loop's thread the waking.

        Answers within how many seconds the caller is to do it again; infinity if the loop itself sees to that. What
        goes wrong here goes wrong again in the loop's own thread, which knows what to do about it.
        """
        if not self._stopping.is_set() and self._turning.acquire(blocking=False):
            try:
                if self._waiting and self._conn is not None:
                    wait = self._timed_tick(self._conn)
                    self.turned_at = time.monotonic()
                    return wait if self.turned_at + wait < self._wakes_at else math.inf
            except Exception:  # As above: the loop's thread meets it again, and tells.
                self.wake()
                return math.inf
            finally:
                self._turning.release()
        self.wake()
        return math.inf

    def hurry(self) -> None:
        """As wake(), and from now on pause but for a moment after an error: the end is near."""
        self._hurried.set()
        self._awake.set()

    def stop(self, timeout: float | None = None) -> bool:
        """End after the current tick; whether the thread has ended within `timeout` seconds."""
        self._stopping.set()
        self._hurried.set()
        self._awake.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether stop() was called."""
        return self._stopping.is_set()

    @property
    def connected(self) -> bool:
        """Whether the role has a connection that worked at its last use."""
        return self._conn is not None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                conn = self._connection()
                with self._turning:
                    wait = self._timed_tick(conn)
                    self._wakes_at = time.monotonic() + wait
            except Exception as error:  # A role must outlive any error of one tick; it is told, and tried again.
                self._survive(error)
                continue
            self.stuck = None
            self._pause = FIRST_PAUSE
            self._refused = False
            self._tell(self._outage.over())
            self.turned_at = time.monotonic()
            self._waiting = True
            self._awake.wait(wait)
            self._awake.clear()
            self._waiting = False
        self._close()

    def _timed_tick(self, conn: Connection) -> float:
        self.busy_since = time.monotonic()
        try:
            return self._tick(conn)
        finally:
            self.busy_since = None

    def _connection(self) -> Connection:
        if self._conn is None:
            conn = open_connection(self._dsn, self.role, deadline=self._deadline, settings=LOCK_PATIENCE)
            try:
                require_commits(conn)
                if self._connected is not None:
                    self._connected(conn)
            except BaseException:
                conn.close()
                raise
            self._conn = conn
            if not self._refused:
                self._tell(self._outage.over())
        return self._conn

    def _survive(self, error: Exception) -> None:
        lost, self._refused = is_lost(self._conn, error), is_refusal(error)
        passing = lost or is_outage(error)
        said = in_words(error) if lost else self._explained(error)
        before = self.stuck
        since = time.monotonic() if before is None or before.passing != passing else before.since
        self.stuck = Stuck(said, since, passing)
        is_cut = (self._conn is not None or was_ended_by_hand(error)) and not self._refused
        longest = CUT_PAUSE if is_cut else LAST_PAUSE
        if lost or isinstance(error, OSError):
            self._close()
        if isinstance(error, HostExhausted) or lack_of(error) is not None:
            self._observe(HostFailed(self.role, str(error)))
            wait = TROUBLE_PAUSE * random.uniform(0.5, 1.0)
        elif lost or self._refused:
            self._tell(self._outage.lost(said, refused=not lost))
            wait = self._pause * random.uniform(0.5, 1.0)
            self._pause = min(longest, self._pause * 2)
        else:
            self._tell(self._outage.trouble(f"{type(error).__name__}: {without_details(str(error), error)}"))
            wait = TROUBLE_PAUSE
        self.turned_at = time.monotonic()
        if not self._hurried.wait(wait):
            return
        self._stopping.wait(min(wait, HURRIED_PAUSE))

    def _explained(self, error: Exception) -> str:
        """What was refused, and if it was a lock, who has it."""
        said = in_words(error)
        if not isinstance(error, psycopg.errors.LockNotAvailable) or self._conn is None:
            return said
        try:
            return "; ".join([said, *execute(self._conn, locks.holders())])
        except psycopg.Error:
            return said

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self._observe(event)

    def _close(self) -> None:
        # Not under the hands of who turns the loop meanwhile: libpq would read what is freed.
        with self._turning:
            conn, self._conn = self._conn, None
            if conn is not None:
                with contextlib.suppress(psycopg.Error):
                    conn.close()
