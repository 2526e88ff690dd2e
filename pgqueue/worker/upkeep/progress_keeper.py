"""How far jobs are, on its way into the database: the newest word of each, written on the heartbeat's connection.

Jobs show their gauges here and go on; nothing here waits, nothing fails them. A worker that is killed takes the last
second with it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import psycopg

from pgqueue.events import Observer, Trouble
from pgqueue.job_progress import Gauge
from pgqueue.store import execute, progress
from pgqueue.store.outages import is_lost
from pgqueue.worker.loop import Connection

# Seconds between two writings: a job's row is written over no more often.
EVERY = 0.5
# Gauges that wait at most; more than ran in a second.
MOST_WAITING = 10_000
# Seconds to the next look where no job says anything; whoever does rings.
IDLE = 60.0


class ProgressKeeper:
    """show() from any code, also a job's; ring() from threads of the worker alone; look() by the heartbeat's thread."""

    def __init__(self, worker: int, observe: Observer, wake: Callable[[], None]) -> None:
        self._worker = worker
        self._observe = observe
        self._wake = wake
        # Each end of it is atomic: an exception that is raised in a job leaves no lock behind.
        self._waiting: deque[Gauge] = deque()
        self._dropped = 0
        self._rung = False
        self._due = 0.0

    def show(self, gauge: Gauge) -> None:
        """Have what a job says written down, soon."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(gauge)
        else:
            self._dropped += 1

    def ring(self) -> None:
        """Have the heartbeat look, if a job has said something."""
        if self._waiting and not self._rung:
            self._rung = True
            self._wake()

    def look(self, conn: Connection) -> float:
        """Write what is due; answers the seconds until the next look."""
        if not self._waiting:
            return IDLE
        now = time.monotonic()
        if now < self._due:
            return self._due - now
        # The first word of a job at once; whatever comes after this rings again.
        self._due, self._rung = now + EVERY, False
        self._write(conn)
        return EVERY if self._waiting else IDLE

    def flush(self, conn: Connection) -> None:
        """Write all of it; no job says anything any more."""
        while self._waiting:
            self._write(conn)

    def _write(self, conn: Connection) -> None:
        taken: list[Gauge] = []
        with suppress(IndexError):
            while len(taken) < progress.MOST:
                taken.append(self._waiting.popleft())
        said = [(each.job_id, each.claim, now) for each in taken if (now := each.taken()) is not None]
        try:
            execute(conn, progress.note(self._worker, said))
        except psycopg.Error as error:
            if is_lost(conn, error):
                # As new as what came meanwhile: each has its newest word.
                self._waiting.extendleft(each for each in taken if not each.is_new)
            else:
                self._dropped += len(said)
            raise
        finally:
            self._tell()

    def _tell(self) -> None:
        if dropped := self._dropped:
            self._dropped -= dropped
            self._observe(Trouble("progress", f"how far {dropped:,} jobs were was not written down", "jobs go on"))
