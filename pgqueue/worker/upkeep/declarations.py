"""Declarations: which tasks of this worker may run at most once, told to the database before any of them runs.

If the worker vanishes, the reaper buries their jobs, because nobody knows how far they came. A task that is met only
later, in a module that a job imported, waits until it was declared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from pgqueue.store import execute, workers
from pgqueue.worker.loop import Connection

# Seconds between two looks for tasks that were met meanwhile; it costs nothing.
LOOK_EVERY = 1.0


class Declarations:
    """What the executor knows, `known()`, against what the database was told; `told` hears what it may run."""

    def __init__(
        self, worker: int, known: Callable[[], frozenset[str]], told: Callable[[Collection[str]], None]
    ) -> None:
        self._worker = worker
        self._known = known
        self._tell = told
        self._declared: frozenset[str] = frozenset()

    def known(self) -> frozenset[str]:
        """The targets to enlist with."""
        return self._known()

    def made(self, targets: frozenset[str]) -> None:
        """The database knows of these."""
        self._declared |= targets
        self._tell(self._declared)

    def look(self, conn: Connection) -> float:
        """Declare what is new; answers the seconds until the next look."""
        new = self._known() - self._declared
        if new:
            # Without a row there is no lease either: the next heartbeat says so.
            known = execute(conn, workers.declare(self._worker, new))
            if known:
                self.made(new)
        return LOOK_EVERY
