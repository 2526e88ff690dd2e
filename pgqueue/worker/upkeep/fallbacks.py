"""Fallbacks: which tasks of this worker fall back where an attempt is lost, told to the database before any job runs.

If the worker vanishes the reaper gives their jobs to other code, or to a human. A task that is met only later, in a
module that a job imported, is told soon after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pgqueue.judge import Fallback
from pgqueue.store import execute, workers
from pgqueue.worker.loop import Connection

# Seconds between two looks for tasks that were met meanwhile; it costs nothing.
LOOK_EVERY = 1.0


class Fallbacks:
    """`known()` is what follows the executor's tasks when they are lost, by target."""

    def __init__(self, worker: int, known: Callable[[], Mapping[str, Fallback]]) -> None:
        self._worker = worker
        self._known = known
        self._told: Mapping[str, Fallback] = {}

    def look(self, conn: Connection) -> float:
        """Tell what is new; answers the seconds until the next look."""
        if (known := self._known()) != self._told:
            execute(conn, workers.declare_fallbacks(self._worker, known))
            self._told = known
        return LOOK_EVERY
