"""Declared rules: the schedules and limits of the code of this worker's apps, told to the database when it starts.

Of several sets that live workers declare for one app the newest holds, so it is said again now and then: after the
newer code has gone, that of a worker that stayed holds again. What is met later, in a module that a job imported, is
not declared: whether a rule exists must not depend on which job ran where.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg

from pgqueue.store import declaring, execute
from pgqueue.worker.loop import Connection

# Seconds until a set is said again: where rules are declared, and where none ever were.
SAY_EVERY, LATER = 60.0, 3600.0


class DeclaredRules:
    """`declared()` is what the executor's tasks declare, as JSON; `apps` the modules that this worker was told."""

    def __init__(self, worker: int, apps: Sequence[str], declared: Callable[[], frozenset[str]]) -> None:
        self._worker = worker
        self._apps = apps
        self._declared = declared
        self._sets: dict[str, list[str]] | None = None
        # Seconds until it is worth saying again, if it was said before the chores began.
        self._said: float | None = None

    def begin(self, conn: Connection) -> None:
        """Say what is declared, before anything is claimed."""
        # What the database has against it is told by the chore, which says it again.
        with suppress(psycopg.DatabaseError):
            self._said = self._say(conn)

    def look(self, conn: Connection) -> float:
        """Say again what is declared; answers the seconds until the next time."""
        said, self._said = self._said, None
        return self._say(conn) if said is None else said

    def _say(self, conn: Connection) -> float:
        if self._sets is None:
            self._sets = self._by_source()
        again = [execute(conn, declaring.declare(self._worker, *each)) for each in sorted(self._sets.items())]
        return (SAY_EVERY if any(again) else LATER) * random.uniform(0.8, 1.0)

    def _by_source(self) -> dict[str, list[str]]:
        """The declarations by app; an app that declares none has none any more."""
        sets: dict[str, list[str]] = {app: [] for app in self._apps}
        for said in self._declared():
            module = str(json.loads(said)["target"]).partition(":")[0]
            apps = [app for app in self._apps if module == app or module.startswith(f"{app}.")]
            source = max(apps, key=len) if apps else module.partition(".")[0]
            sets.setdefault(source, []).append(said)
        return sets
