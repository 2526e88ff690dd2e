"""The heartbeat: extends the worker's lease, and hears what is asked of the worker, on a connection of its own.

`safe_until` is the time until which this worker may believe in its lease: counted from before the last acknowledged
beat was sent, so that it ends here before it ends in the database. Who supervises the worker compares it with the
clock; this thread may itself be stuck in the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from pgqueue.events import Observer, Trouble
from pgqueue.store import execute, workers
from pgqueue.worker.loop import Connection, Loop
from pgqueue.worker.upkeep.chores import Chores
from pgqueue.worker.upkeep.clock import lease_clock

# A third of the lease: two heartbeats may fail before it is lost.
BEATS_PER_LEASE = 3
# One that was not acknowledged is repeated sooner, after this share of the lease.
RETRY_SHARE = 0.1
# Ending children takes time, too: they must be gone when the lease is.
MARGIN_SHARE = 0.1
# What is not answered for longer than this share of the lease is not only under way.
WAITING_SHARE = 0.05
# Whoever may connect may tell a worker to look: it beats no sooner than so many seconds after the last time.
LOOK_REST = 0.2


class Heartbeat:
    """Beats every third of the lease, and when told to look; in between it does the chores.

    `asked` and `cancelled` are called after each beat with what stands in the database: what a human asks of this
    worker, and which of its jobs are to be cancelled. `timed` hears how many seconds each answer took; `report()` is
    what this worker says of itself.
    """

    def __init__(
        self,
        worker: int,
        dsn: str,
        observe: Observer,
        chores: Chores,
        *,
        lease: float,
        turning: Callable[[], bool],
        evicted: Callable[[str], None],
        asked: Callable[[str | None], None] = lambda _: None,
        cancelled: Callable[[frozenset[UUID]], None] = lambda _: None,
        connected: Callable[[Connection], None] = lambda _: None,
        timed: Callable[[float], None] = lambda _: None,
        report: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._worker = worker
        self._lease = lease
        self._observe = observe
        self._chores = chores
        self._turning = turning
        self._evicted = evicted
        self._asked = asked
        self._cancelled = cancelled
        self._on_connect = connected
        self._timed = timed
        self._report = report
        self._beat_at = time.monotonic() + lease / BEATS_PER_LEASE
        self._look = False
        self._looked_at = 0.0
        # Since when, by the lease's clock, the database has owed an answer.
        self._asking_since: float | None = None
        self.safe_until = 0.0
        # Seconds that the last one took.
        self.answered_in = 0.0
        # Nothing on this connection may take so long that the next heartbeat comes too late.
        deadline = lease / BEATS_PER_LEASE
        self.loop = Loop("heartbeat", dsn, self._tick, observe, self._connected, deadline=deadline)

    @property
    def lease_left(self) -> float:
        """Seconds that the lease may still be believed in; negative when it is gone."""
        return self.safe_until - lease_clock()

    @property
    def unanswered(self) -> bool:
        """Whether the database is away, as far as can be known: no connection, or no answer on it."""
        since = self._asking_since
        waits = since is not None and lease_clock() - since > self._lease * WAITING_SHARE
        return waits or not self.loop.connected

    def acknowledged(self, sent_at: float) -> None:
        """The database has extended the lease, at the earliest at `sent_at` by the lease's clock."""
        self.safe_until = sent_at + self._lease * (1 - MARGIN_SHARE)

    def look(self) -> None:
        """Something is asked of this worker: beat now, and hear it; from any thread."""
        self._look = True
        self.loop.wake()

    def _connected(self, conn: Connection) -> None:
        self._on_connect(conn)
        self._look = True

    def _tick(self, conn: Connection) -> float:
        self._asking_since = self._asking_since or lease_clock()
        now = time.monotonic()
        if self._looks(now) or now >= self._beat_at:
            if self._look:
                self._chores.hear()
            self._look, self._looked_at = False, now
            self._beat_at = now + self._lease * RETRY_SHARE
            self._beat(conn)
            self._beat_at = now + self._lease / BEATS_PER_LEASE
            self._asking_since = lease_clock()
        wait = self._chores.tend(conn)
        self._asking_since = None
        next_at = min(self._beat_at, self._looked_at + LOOK_REST) if self._look else self._beat_at
        return max(0.0, min(next_at - time.monotonic(), wait))

    def _looks(self, now: float) -> bool:
        return self._look and now >= self._looked_at + LOOK_REST

    def _beat(self, conn: Connection) -> None:
        if not self._turning():
            # Alive but deaf is worse than dead: let others have the jobs.
            self._observe(Trouble("heartbeat", "the claim loop does not turn; the lease is not extended"))
            return
        report = self._report()
        sent_at = lease_clock()
        began = time.monotonic()
        answer = execute(conn, workers.heartbeat(self._worker, timedelta(seconds=self._lease), report))
        self.answered_in = time.monotonic() - began
        self._timed(self.answered_in)
        if not answer.alive:
            by_hand = answer.asked == "evict"
            self._evicted("evicted by hand" if by_hand else "its lease has expired, or was ended by hand")
            return
        self.acknowledged(sent_at)
        if answer.cancelled:
            self._cancelled(answer.cancelled)
        self._asked(answer.asked)
