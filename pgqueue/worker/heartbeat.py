"""The heartbeat: extends the worker's lease, and does the upkeep that any worker may do, on a connection of its own.

`safe_until` is the time until which this worker may believe in its lease: counted from before the last acknowledged
beat was sent, so that it ends here before it ends in the database. Who supervises the worker compares it with the
clock; this thread may itself be stuck in the network.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta

from pgqueue.events import Observer, Trouble
from pgqueue.store import execute, workers
from pgqueue.worker.loop import Connection, Loop
from pgqueue.worker.pruner import prune
from pgqueue.worker.reaper import reap

# A third of the lease: two heartbeats may fail before it is lost.
BEATS_PER_LEASE = 3
# Ending children takes time, too: they must be gone when the lease is.
MARGIN_SHARE = 0.1


class Heartbeat:
    """Beats every third of the lease, reaps every `poll` seconds, prunes now and then."""

    def __init__(
        self,
        worker: int,
        dsn: str,
        observe: Observer,
        *,
        lease: float,
        poll: float,
        turning: Callable[[], bool],
        evicted: Callable[[str], None],
    ) -> None:
        self._worker = worker
        self._lease = lease
        self._poll = poll
        self._observe = observe
        self._turning = turning
        self._evicted = evicted
        self._beat_at = time.monotonic() + lease / BEATS_PER_LEASE
        self._reap_at = 0.0
        self._prune_at = time.monotonic() + random.uniform(5, 60)
        self.safe_until = 0.0
        # Nothing on this connection may take so long that the next heartbeat comes too late.
        deadline = lease / BEATS_PER_LEASE
        self.loop = Loop("heartbeat", dsn, self._tick, observe, self._connected, deadline=deadline)

    def acknowledged(self, sent_at: float) -> None:
        """The database has extended the lease, at the earliest at monotonic time `sent_at`."""
        self.safe_until = sent_at + self._lease * (1 - MARGIN_SHARE)

    def _connected(self, _conn: Connection) -> None:
        self._beat_at = min(self._beat_at, time.monotonic())

    def _tick(self, conn: Connection) -> float:
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat(conn, now)
        if now >= self._reap_at:
            self._reap_at = now + self._poll * random.uniform(0.8, 1.0)
            if reap(conn, self._observe):
                self._reap_at = now
        if now >= self._prune_at:
            self._prune_at = now + prune(conn)
        return max(0.0, min(self._beat_at, self._reap_at, self._prune_at) - time.monotonic())

    def _beat(self, conn: Connection, now: float) -> None:
        if not self._turning():
            self._beat_at = now + self._lease / BEATS_PER_LEASE
            # Alive but deaf is worse than dead: let others have the jobs.
            self._observe(Trouble("heartbeat", "the claim loop does not turn; the lease is not extended"))
            return
        alive = execute(conn, workers.heartbeat(self._worker, timedelta(seconds=self._lease))).alive
        # Not before it was answered: one that was refused is repeated soon.
        self._beat_at = now + self._lease / BEATS_PER_LEASE
        if alive:
            self.acknowledged(now)
        else:
            self._evicted("its lease has expired, or was ended by hand")
