"""Who hears what ends: a thread with a connection of its own, which never waits for whoever prints.

A listener that does not read fills the server's queue of notifications, in the end for all of its databases.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from pgqueue.errors import PgqueueError, UsageError
from pgqueue.store import awaiting, execute, reports, wakeups
from pgqueue.store.connection import open_connection
from pgqueue.store.session import OwnConnection, is_pooled

# Jobs that are kept for whoever prints; of more the oldest go, and are counted.
MOST = 100_000
# Seconds: of a wait for notifications, and before a lost connection is opened anew.
TURN, FIRST_AGAIN, LAST_AGAIN = 0.25, 0.5, 10.0
POOLED = (
    "what ends is told by LISTEN, which does not work through the pooler that the DSN leads to; give a direct"
    " connection: pgqueue events -f --dsn postgresql://..."
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nothing was heard."""

    since: datetime
    until: datetime


class Ears:
    """Begun when it listens. `taken()` may be called from one other thread."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._conn, self.since = self._listening()
        self._lock = threading.Lock()  # guards what follows
        self._heard: dict[UUID, None] = {}
        self._dropped = 0
        self._gaps: list[Gap] = []
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._hear, name="pgqueue ears", daemon=True)
        self._thread.start()

    def taken(self, wait: float) -> tuple[list[UUID], int, list[Gap]]:
        """The jobs that were heard of, how many were too many, and when nothing was heard; waits so long for any."""
        self._woken.wait(wait)
        with self._lock:
            self._woken.clear()
            heard, dropped, gaps = list(self._heard), self._dropped, self._gaps
            self._heard, self._dropped, self._gaps = {}, 0, []
        return heard, dropped, gaps

    def stop(self) -> None:
        """Hear no more."""
        self._stopping.set()
        self._thread.join(timeout=5)
        self._conn.close()

    def _hear(self) -> None:
        heard_at = self.since
        while not self._stopping.is_set():
            try:
                for each in self._conn.notifies(timeout=TURN):
                    self._put(each.payload)
                    if self._stopping.is_set():
                        return
                heard_at = datetime.now(heard_at.tzinfo)
            except psycopg.OperationalError:
                self._open_again(heard_at)

    def _put(self, payload: str) -> None:
        try:
            ids = [UUID(each) for each in payload.split(",")]
        except ValueError:
            return
        with self._lock:
            for job_id in ids:
                if len(self._heard) >= MOST and job_id not in self._heard:
                    del self._heard[next(iter(self._heard))]
                    self._dropped += 1
                self._heard[job_id] = None
            self._woken.set()

    def _open_again(self, heard_at: datetime) -> None:
        pause = FIRST_AGAIN
        self._conn.close()
        while not self._stopping.wait(pause):
            pause = min(2 * pause, LAST_AGAIN)
            try:
                self._conn, until = self._listening()
            except (PgqueueError, psycopg.Error):
                continue
            with self._lock:
                self._gaps.append(Gap(heard_at, until))
                self._woken.set()
            return

    def _listening(self) -> tuple[OwnConnection, datetime]:
        """A connection that hears of what ends, and since when. Raises UsageError behind a pooler."""
        conn = open_connection(self._dsn, "events", deadline=None)
        try:
            if is_pooled(conn):
                raise UsageError(POOLED)
            execute(conn, wakeups.listen(awaiting.CHANNEL))
            execute(conn, awaiting.follow())
            return conn, execute(conn, reports.now())
        except BaseException:
            conn.close()
            raise
