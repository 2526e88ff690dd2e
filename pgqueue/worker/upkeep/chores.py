"""The chores that any worker may do, each in its own time: reaping, pruning, looking after orphans."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from pgqueue.events import Observer
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.pruner import prune
from pgqueue.worker.upkeep.reaper import reap, reap_orphans

# Does a bounded piece of work, and answers the seconds until it is worth a look again.
Chore = Callable[[Connection], float]
# One that failed comes back after this; the others are not kept waiting.
AFTER_ERROR = 5.0
# Nobody makes orphans but a human who deletes a worker's row.
ORPHANS_EVERY = 180.0


class Chores:
    """Chores with the monotonic times at which they are due."""

    def __init__(self, chores: Sequence[tuple[Chore, float]]) -> None:
        now = time.monotonic()
        self._due = {chore: now + delay for chore, delay in chores}

    def tend(self, conn: Connection) -> float:
        """Do what is due; answers the seconds until something is."""
        for chore, due in self._due.items():
            now = time.monotonic()
            if now >= due:
                self._due[chore] = now + AFTER_ERROR
                self._due[chore] = now + chore(conn)
        return max(0.0, min(self._due.values()) - time.monotonic())


def common_chores(observe: Observer, poll: float) -> list[tuple[Chore, float]]:
    """What every worker does, each with the seconds until it is due for the first time."""

    def take_back(conn: Connection) -> float:
        unfinished = reap(conn, observe)
        return 0.0 if unfinished else poll * random.uniform(0.8, 1.0)

    def adopt(conn: Connection) -> float:
        reap_orphans(conn, observe)
        return ORPHANS_EVERY * random.uniform(0.8, 1.2)

    return [(take_back, 0.0), (prune, random.uniform(5, 60)), (adopt, random.uniform(5, ORPHANS_EVERY))]
