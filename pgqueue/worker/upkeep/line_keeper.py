"""Lines that jobs said, on their way into the database: gathered for a moment, written on the heartbeat's connection.

Jobs put lines here and go on; nothing here waits, nothing fails them. What waits is bounded, and what is dropped is
told of. A worker that is killed takes the last second of them with it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import psycopg

from pgqueue.events import Observer, Trouble
from pgqueue.job_log import Said
from pgqueue.job_progress import Gauge
from pgqueue.store import execute, job_logs
from pgqueue.store.outages import is_lost
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.progress_keeper import ProgressKeeper

# Seconds that lines are gathered; with those in a child and those of the ticker less than one.
EVERY = 0.5
# Lines of one statement, and lines that wait at most: a second's worth of a database that is slow.
BATCH, MOST_WAITING = 2_000, 10_000
# Seconds to the next look where nobody says anything; whoever does rings.
IDLE = 60.0


class LineKeeper:
    """put() from any code, also a job's; ring() from threads of the worker alone; look() by the heartbeat's thread."""

    def __init__(self, observe: Observer, wake: Callable[[], None], progress: ProgressKeeper | None = None) -> None:
        self._observe = observe
        self._wake = wake
        # Rung with this one.
        self._progress = progress
        # Each end of it is atomic: an exception that is raised in a job leaves no lock behind.
        self._waiting: deque[Said] = deque()
        self._dropped = 0
        self._rung = False
        self._due: float | None = None
        # What was sent, until the database has answered: sent twice, it is written once.
        self._sending: list[Said] = []

    def put(self, said: Said) -> None:
        """Have a line kept; what is too much for the database is dropped."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(said)
        else:
            self._dropped += 1

    def show(self, gauge: Gauge) -> None:
        """Have written down how far a job is."""
        if self._progress is not None:
            self._progress.show(gauge)

    def of(self, worker: int) -> LineKeeper:
        """The lines of all jobs are kept here."""
        return self

    def ring(self) -> None:
        """Have the heartbeat look, if somebody said something."""
        if self._progress is not None:
            self._progress.ring()
        if self._waiting and not self._rung:
            self._rung = True
            self._wake()

    def look(self, conn: Connection) -> float:
        """Write what was gathered for long enough; answers the seconds until the next look."""
        if not self._waiting and not self._sending:
            return IDLE
        now = time.monotonic()
        self._due = self._due or now + EVERY
        if now < self._due and len(self._waiting) < BATCH:
            return self._due - now
        # Whatever comes after this rings again.
        self._due, self._rung = None, False
        self._write(conn)
        return EVERY if self._waiting else IDLE

    def flush(self, conn: Connection) -> None:
        """Write all of it; nobody says anything any more."""
        while self._waiting or self._sending:
            self._write(conn)

    def _write(self, conn: Connection) -> None:
        with suppress(IndexError):
            while len(self._sending) < BATCH:
                self._sending.append(self._waiting.popleft())
        try:
            execute(conn, job_logs.keep(self._sending))
        except psycopg.Error as error:
            if not is_lost(conn, error):
                self._dropped += len(self._sending)
                self._sending = []
            raise
        finally:
            self._tell()
        self._sending = []

    def _tell(self) -> None:
        if dropped := self._dropped:
            self._dropped -= dropped
            self._observe(Trouble("job logs", f"{dropped:,} lines that jobs said were not kept", "jobs go on"))
