"""Unknown claims: jobs that the database says this worker holds, and the worker does not know. They are given back.

They come from a claim whose reply got lost, and are looked for at once then. Nothing else is known to make them; but a
job that nobody runs and nobody may take would wait for ever, so an idle worker also looks now and then.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection

from pgqueue.events import Observer, Trouble
from pgqueue.job import Claim
from pgqueue.store import execute, jobs
from pgqueue.worker.loop import Connection

# Seconds between two looks of an idle worker.
LOOK_EVERY = 600.0
# A look scans the jobs: it is followed by this many times its cost without one.
RATION = 1000


class UnknownClaims:
    """Asks for them when a reply was lost, and when the worker rests; counts nothing as clean that it cannot know."""

    def __init__(self, worker: int, observe: Observer) -> None:
        self._worker = worker
        self._observe = observe
        self._suspected = False
        self._look_at = time.monotonic() + LOOK_EVERY * random.uniform(0.5, 1.0)
        # Grows with each look: a request of an earlier epoch that arrives late does nothing (disown.sql).
        self.epoch = 0
        # Whether a reply ever got lost: then only the database knows what this worker holds.
        self.ever_suspected = False

    def suspect(self) -> None:
        """The reply to a claim got lost."""
        self._suspected = self.ever_suspected = True

    def give_back(self, conn: Connection, held: Collection[Claim]) -> None:
        """Give back what `held` does not know, if there is reason to look."""
        if not self._suspected and (held or time.monotonic() < self._look_at):
            return
        began = time.monotonic()
        self._look_at = began + LOOK_EVERY
        self.epoch += 1
        count = execute(conn, jobs.disown(self._worker, list(held), self.epoch))
        ended = time.monotonic()
        self._look_at = ended + max(LOOK_EVERY * random.uniform(0.8, 1.2), RATION * (ended - began))
        if count and not self._suspected:
            self._observe(Trouble("claimer", f"held {count} jobs without knowing it", "they were given back"))
        self._suspected = False
