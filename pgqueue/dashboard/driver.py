"""Drives bulk actions from this process, as long as there is one and no worker is at work: a batch at a time.

What is killed with the process is a transaction that had not committed. The next process goes on at its first request,
and any worker at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Lock, Thread

import psycopg

from pgqueue import operations
from pgqueue.dashboard.database import Conn
from pgqueue.errors import PgqueueError
from pgqueue.store import execute, workers

# Seconds between two looks whether somebody has to drive, while a worker does, or the database is away.
LOOK_EVERY = 15.0
# Seconds that closing waits for the batch under way.
PATIENCE = 10.0
Connect = Callable[[], AbstractContextManager[Conn]]
_log = logging.getLogger("pgqueue.dashboard")


class Driver:
    """One thread at most; none while nothing is to be driven, and then the database is asked nothing either."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._lock = Lock()
        self._thread: Thread | None = None  # guarded by the lock, as is _asked
        self._asked = self._was_woken = False
        self._closed = Event()

    def wake(self) -> None:
        """Look whether something is to be driven, and drive it to its end."""
        with self._lock:
            self._asked = self._was_woken = True
            if self._thread is None and not self._closed.is_set():
                self._thread = Thread(target=self._run, name="pgqueue operations", daemon=True)
                self._thread.start()

    def wake_once(self) -> None:
        """As wake(), the first time."""
        if not self._was_woken:
            self.wake()

    def close(self) -> None:
        """End after the batch under way; the rest waits for whoever drives next."""
        self._closed.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(PATIENCE)

    def _run(self) -> None:
        while self._goes_on():
            try:
                with self._connect() as conn:
                    self._drive(conn)
            except (psycopg.Error, PgqueueError) as error:
                _log.warning("bulk actions wait: %s", error)
                with self._lock:
                    self._asked = True
                self._closed.wait(LOOK_EVERY)

    def _goes_on(self) -> bool:
        """Whether somebody has asked since the last look; else the thread is over."""
        with self._lock:
            if self._asked and not self._closed.is_set():
                self._asked = False
                return True
            self._thread = None
            return False

    def _drive(self, conn: Conn) -> None:
        was = conn.autocommit
        conn.autocommit = True
        try:
            self._drive_to_the_end(conn)
        finally:
            # A pool's goes back as it came.
            if not conn.closed:
                conn.autocommit = was

    def _drive_to_the_end(self, conn: Conn) -> None:
        while not self._closed.is_set():
            needed = True

            def is_needed() -> bool:
                nonlocal needed
                needed = not any(row.alive for row in execute(conn, workers.rows()))
                return needed

            wait = operations.drive_detached(conn, self._closed.wait, is_needed)
            if wait is None:
                return
            self._closed.wait(wait if needed else LOOK_EVERY)
