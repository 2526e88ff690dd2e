"""The one loop that every role has: a thread with a connection of its own, which outlives the database's absence."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from pgqueue.events import DatabaseBack, DatabaseLost, Observer, Trouble
from pgqueue.store.connection import in_one_line, is_lost, open_connection

Connection = psycopg.Connection[Any]

# Pauses between attempts to reconnect grow from the first to the last; jitter keeps a fleet from arriving together.
FIRST_PAUSE, LAST_PAUSE = 0.05, 5.0
# An outage is told once when it begins, then once in this many seconds.
TELL_EVERY = 60.0
# After an error that is not the connection's, so that a bug cannot turn into a busy loop.
TROUBLE_PAUSE = 1.0


class Loop:
    """Calls `tick(conn)` in a thread of its own until stopped; a tick answers how many seconds to wait for the next.

    `connected(conn)` runs after each connect, before the first tick. wake() ends a wait early. start() returns when
    the thread runs, stop() when it has ended; both may be called twice.
    """

    def __init__(
        self,
        role: str,
        dsn: str,
        tick: Callable[[Connection], float],
        observe: Observer,
        connected: Callable[[Connection], None] | None = None,
    ) -> None:
        self.role = role
        self.turned_at = time.monotonic()
        self._dsn = dsn
        self._tick = tick
        self._observe = observe
        self._connected = connected
        self._conn: Connection | None = None
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pgqueue-{role}", daemon=True)
        self._lost_at: float | None = None
        self._told_at = 0.0

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if self._thread.ident is None:
            self.turned_at = time.monotonic()
            self._thread.start()

    def wake(self) -> None:
        """End the current wait; from any thread."""
        self._awake.set()

    def stop(self, timeout: float | None = None) -> bool:
        """End after the current tick; whether the thread has ended within `timeout` seconds."""
        self._stopping.set()
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
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                wait = self._tick(self._connection())
                pause = FIRST_PAUSE
            except Exception as error:  # A role must outlive any error of one tick; it is told, and tried again.
                if is_lost(self._conn, error):
                    self._drop_connection(error)
                    wait = pause * random.uniform(0.5, 1.0)
                    pause = min(LAST_PAUSE, pause * 2)
                else:
                    self._observe(Trouble(self.role, f"{type(error).__name__}: {error}"))
                    wait = TROUBLE_PAUSE
            self.turned_at = time.monotonic()
            self._awake.wait(wait)
            self._awake.clear()
        self._close()

    def _connection(self) -> Connection:
        if self._conn is None:
            conn = open_connection(self._dsn, self.role)
            try:
                if self._connected is not None:
                    self._connected(conn)
            except BaseException:
                conn.close()
                raise
            self._conn = conn
            if self._lost_at is not None:
                self._observe(DatabaseBack(self.role, time.monotonic() - self._lost_at))
                self._lost_at = None
        return self._conn

    def _drop_connection(self, error: Exception) -> None:
        self._close()
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
            self._told_at = 0.0
        if now - self._told_at >= TELL_EVERY or self._told_at == 0.0:
            self._observe(DatabaseLost(self.role, in_one_line(error), now - self._lost_at))
            self._told_at = now

    def _close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(psycopg.Error):
                conn.close()
