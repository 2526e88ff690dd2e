"""Unknown targets: what this worker can run, told to the database, and what it cannot, left to workers that can.

A job whose target no live worker knows is parked, out of everybody's way. A worker that knows it makes it due again: at
its start, when it meets a task in a module that its own code has imported meanwhile, and at every look.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta

from pgqueue.store import execute, unknown
from pgqueue.tasks.lookup import OWN_APPS
from pgqueue.worker.loop import Connection

# What a worker did not know it asks for anew after so many seconds: code may have come since.
FORGET_EVERY = 300.0
# Seconds between two looks for tasks that were met meanwhile; it costs nothing.
LOOK_EVERY = 1.0


class UnknownTargets:
    """`known()` are the targets that the executor may call."""

    def __init__(self, worker: int, known: Callable[[], frozenset[str]], *, keep: float, poll: float) -> None:
        self._worker = worker
        self._known = known
        self._keep = timedelta(seconds=keep)
        self._poll = poll
        self._declared: frozenset[str] = frozenset()
        self._after = ""
        self._recall_at = 0.0
        self._forget_at = _later(FORGET_EVERY)

    def begin(self, conn: Connection, *, burst: bool) -> None:
        """Say what this worker knows, and make due what waits for it: all of it before a burst, which ends soon."""
        self._declare(conn)
        while self._recall(conn) and burst:
            continue

    def look(self, conn: Connection) -> float:
        """One look; answers the seconds until the next."""
        if self._declared != self._names():
            self._declare(conn)
            self._recall_at = 0.0
        if time.monotonic() >= self._recall_at:
            more = self._recall(conn)
            self._recall_at = time.monotonic() if more else _later(self._poll)
            return 0.0 if more else LOOK_EVERY
        return LOOK_EVERY

    def _names(self) -> frozenset[str]:
        return self._known() | set(OWN_APPS)

    def _declare(self, conn: Connection) -> None:
        names = self._names()
        # Without a row there is no lease either: the next heartbeat says so.
        if execute(conn, unknown.declare_targets(self._worker, names, self._keep)):
            self._declared = names

    def _recall(self, conn: Connection) -> bool:
        """Whether there is more to make due."""
        forget = time.monotonic() >= self._forget_at
        if forget:
            self._forget_at = _later(FORGET_EVERY)
        found = execute(conn, unknown.recall(self._worker, forget=forget, after=self._after))
        self._after = found.go_on or ""
        return found.due >= unknown.RECALL_LIMIT or found.go_on is not None


def _later(seconds: float) -> float:
    return time.monotonic() + seconds * random.uniform(0.8, 1.0)
