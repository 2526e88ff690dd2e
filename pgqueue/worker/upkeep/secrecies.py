"""Secrecies: what the tasks of this worker call sensitive, told to the database before any of their jobs runs.

Who shows jobs does not have the code of their tasks, and hides what was told here. What a job imports is told soon
after.
"""

from __future__ import annotations

from collections.abc import Callable

from pgqueue.store import execute, secrecy
from pgqueue.worker.loop import Connection

# Seconds between two looks for tasks that were met meanwhile; it costs nothing.
LOOK_EVERY = 1.0


class Secrecies:
    """`known()` is what the executor's tasks call sensitive, by target."""

    def __init__(self, known: Callable[[], frozenset[tuple[str, str]]]) -> None:
        self._known = known
        self._told: frozenset[tuple[str, str]] = frozenset()

    def look(self, conn: Connection) -> float:
        """Tell what is new; answers the seconds until the next look."""
        if new := self._known() - self._told:
            execute(conn, secrecy.declare(new))
            self._told |= new
        return LOOK_EVERY
