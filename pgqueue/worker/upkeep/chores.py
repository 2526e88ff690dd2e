"""The chores that any worker may do, each in its own time: reaping, pruning, looking after orphans."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import psycopg

from pgqueue.events import Observer
from pgqueue.store import causes, execute, keyed, tallies
from pgqueue.store.outages import in_words, is_lost
from pgqueue.worker.loop import Connection
from pgqueue.worker.outage import Outage
from pgqueue.worker.upkeep.lookout import LOOK_EVERY as ALERTS_EVERY
from pgqueue.worker.upkeep.lookout import look_for_alerts
from pgqueue.worker.upkeep.operator import LOOK_EVERY, drive_operations
from pgqueue.worker.upkeep.portion import Portion
from pgqueue.worker.upkeep.pruner import prune
from pgqueue.worker.upkeep.reaper import Mourner, reap, reap_orphans

# Does a bounded piece of work, and answers the seconds until it is worth a look again.
Chore = Callable[[Connection], float]
# One that failed comes back after this; the others are not kept waiting.
AFTER_ERROR = 5.0
# Nobody makes orphans but a human who deletes a worker's row.
ORPHANS_EVERY = 180.0
# Workers seldom vanish; rows of tallies are made into fewer a few minutes after they were written; depths are noted by
# whoever looks first in a minute; dead jobs without a cause are those of vanished workers.
MAKE_UP_EVERY, MERGE_EVERY, DEPTHS_EVERY, CAUSES_EVERY = 30.0, 60.0, 20.0, 30.0


class Chores:
    """Chores with the monotonic times at which they are due. One that the database refuses keeps no other waiting."""

    def __init__(
        self,
        chores: Sequence[tuple[Chore, float]],
        observe: Observer,
        *,
        prompt: Sequence[Chore] = (),
        asked: Sequence[Chore] = (),
    ) -> None:
        self._observe = observe
        self._outage = Outage("upkeep")
        now = time.monotonic()
        self._due = {chore: now + delay for chore, delay in chores}
        # Looked at each time, for they know themselves whether they are due.
        self._prompt = dict.fromkeys(prompt, 0.0)
        # Due at once when somebody asks something of the worker, too.
        self._due |= dict.fromkeys(asked, now)
        self._asked = asked

    def hear(self) -> None:
        """Something is asked of this worker."""
        for chore in self._asked:
            self._due[chore] = 0.0

    def tend(self, conn: Connection) -> float:
        """Do what is due; answers the seconds until something is."""
        for chore, due in self._due.items():
            if time.monotonic() >= due:
                self._do(chore, self._due, conn)
        for chore in self._prompt:
            self._do(chore, self._prompt, conn)
        return max(0.0, min((*self._due.values(), *self._prompt.values())) - time.monotonic())

    def _do(self, chore: Chore, due: dict[Chore, float], conn: Connection) -> None:
        now = time.monotonic()
        due[chore] = now + AFTER_ERROR
        try:
            due[chore] = now + chore(conn)
        except psycopg.Error as error:
            if is_lost(conn, error):
                raise
            self._tell(in_words(error))

    def _tell(self, refused: str) -> None:
        if (trouble := self._outage.trouble(f"the database refuses a chore: {refused}")) is not None:
            self._observe(trouble)


def common_chores(observe: Observer, poll: float, mourner: Mourner | None = None) -> list[tuple[Chore, float]]:
    """What every worker does, each with the seconds until it is due for the first time."""

    # Pages of `jobs`, and rows of history.
    pages, orphaned, rows = Portion(64, 16_384), Portion(64, 32_768), Portion(20, 5_000)
    mended = Portion(64, 32_768)
    missed, merged, nameless = Portion(500, 20_000), Portion(50, 5_000), Portion(10, 500)

    def take_back(conn: Connection) -> float:
        unfinished = reap(conn, observe, pages, mourner)
        return 0.0 if unfinished else poll * random.uniform(0.8, 1.0)

    def adopt(conn: Connection) -> float:
        reap_orphans(conn, observe, orphaned)
        return ORPHANS_EVERY * random.uniform(0.8, 1.2)

    def reconcile(conn: Connection) -> float:
        mended.spend(lambda most: execute(conn, keyed.reconcile(most)))
        return ORPHANS_EVERY * random.uniform(0.8, 1.2)

    def forget(conn: Connection) -> float:
        return prune(conn, rows)

    def make_up(conn: Connection) -> float:
        found = missed.spend(lambda most: execute(conn, tallies.make_up(most)))
        return 1.0 if found else MAKE_UP_EVERY * random.uniform(0.8, 1.2)

    def merge(conn: Connection) -> float:
        taken = merged.spend(lambda most: execute(conn, tallies.merge(most)))
        return (1.0 if taken >= merged.size else MERGE_EVERY) * random.uniform(0.8, 1.2)

    def note_depths(conn: Connection) -> float:
        execute(conn, tallies.note_depths())
        return DEPTHS_EVERY * random.uniform(0.8, 1.2)

    def find_causes(conn: Connection) -> float:
        found = nameless.spend(lambda most: execute(conn, causes.find(most)))
        return (1.0 if found >= nameless.size else CAUSES_EVERY) * random.uniform(0.8, 1.2)

    return [
        (take_back, 0.0),
        (forget, random.uniform(5, 60)),
        (drive_operations, random.uniform(1, LOOK_EVERY)),
        (adopt, random.uniform(5, ORPHANS_EVERY)),
        (reconcile, random.uniform(5, ORPHANS_EVERY)),
        (make_up, random.uniform(5, MAKE_UP_EVERY)),
        (merge, random.uniform(5, MERGE_EVERY)),
        (note_depths, random.uniform(2, DEPTHS_EVERY)),
        (find_causes, random.uniform(2, CAUSES_EVERY)),
        (look_for_alerts, random.uniform(2, ALERTS_EVERY)),
    ]
