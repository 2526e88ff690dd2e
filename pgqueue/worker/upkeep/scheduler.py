"""The scheduler: fires the ticks of schedules that are due. Every worker is one, without a leader.

It looks without holding a lock, decides, and writes the decision down if the schedule still stands as it did: of all
who decide about the same ticks one does, and one that dies meanwhile has done nothing. Without schedules a look reads
one index entry.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import psycopg

from pgqueue.cron import Decision, Standing, decide, tzdata_version
from pgqueue.errors import OptionError
from pgqueue.events import Observer
from pgqueue.store import execute, schedules
from pgqueue.store.outages import in_words, is_lost
from pgqueue.worker.loop import Connection
from pgqueue.worker.outage import Outage
from pgqueue.worker.upkeep.portion import Portion

# A schedule that is new is seen after so many seconds at most; one that is known, when it is due.
LOOK_EVERY = 5.0
# What another has in hand, or only another can decide, is looked at again after this.
REST = 0.5
# Seconds between two looks for what was planned by older rules of time zones.
REPLAN_EVERY = 300.0
# One about which nothing can be decided keeps no other waiting: it is passed by for so many seconds.
PASS_BY = 60.0
# What only met somebody's open transaction, and would be late by then.
BRIEFLY = 2.0
MOST_PASSED = 1_000
# Of so many times a batch a scheduler takes any part, once others have decided about most of the same before it.
SPREAD = 4
_PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
_OVERLONG = (psycopg.errors.QueryCanceled, psycopg.errors.OutOfMemory)


class Scheduler:
    """One worker's share of the schedules; what it cannot decide it says, to `observe` and in the schedule itself."""

    def __init__(self, observe: Observer, poll: float) -> None:
        self._observe = observe
        self._every = min(poll, LOOK_EVERY)
        self._outage = Outage("scheduler")
        self._portion = Portion(5, schedules.BATCH)
        self._replan_at = 0.0
        # Whether others were quicker with most of the last batch.
        self._raced = False
        # Names, and the monotonic time until which each is passed by.
        self._passed: dict[str, float] = {}

    def look(self, conn: Connection) -> float:
        """Fire what is due; answers the seconds until the next look."""
        wait = execute(conn, schedules.next_tick())
        if wait is None:
            return self._every * random.uniform(0.8, 1.0)
        if time.monotonic() >= self._replan_at:
            self._replan_at = time.monotonic() + REPLAN_EVERY * random.uniform(0.8, 1.0)
            if execute(conn, schedules.replan(tzdata_version())):
                return 0.0
        if wait > 0:
            return min(wait, self._every)
        if self._portion.spend(lambda most: self._fire_due(conn, most)):
            return 0.0
        if not self._passed:
            return REST
        return min(self._every, max(REST, min(self._passed.values()) - time.monotonic()))

    def _fire_due(self, conn: Connection, most: int) -> bool:
        """Decide about some of the schedules that are due; whether there were any."""
        self._let_pass()
        wanted = most * (SPREAD if self._raced else 1)
        due, now = execute(conn, schedules.due(tzdata_version(), list(self._passed), wanted))
        first = random.randint(0, max(0, len(due) - most))
        due = due[first : first + most]
        decisions: list[Decision] = []
        for standing in due:
            assert now is not None, "a row of the answer says when it is"
            try:
                decisions.append(decide(standing, now))
            except OptionError as error:
                self._pass_by(conn, standing, str(error))
        named = {standing.name: standing for standing in due}
        decided = sum(self._fire(conn, batch, named) for batch in _batches(decisions))
        self._raced = decided < len(decisions) / 2
        return bool(due)

    def _fire(self, conn: Connection, batch: Sequence[Decision], due: dict[str, Standing]) -> int:
        """Write decisions down; of how many schedules nobody else had."""
        try:
            return execute(conn, schedules.fire(batch, tzdata_version())).decided
        except _OVERLONG:
            raise
        except psycopg.Error as error:
            if is_lost(conn, error):
                raise
            if len(batch) == 1:
                seconds = BRIEFLY if isinstance(error, _PASSING) else PASS_BY
                self._pass_by(conn, due[batch[0].name], in_words(error), seconds)
                return 1
            # One of them is refused: it keeps no other from firing.
            return sum(self._fire(conn, [decision], due) for decision in batch)

    def _pass_by(self, conn: Connection, standing: Standing, fault: str, seconds: float = PASS_BY) -> None:
        if len(self._passed) < MOST_PASSED:
            self._passed[standing.name] = time.monotonic() + seconds
        execute(conn, schedules.note_fault(standing.name, standing.next_at, fault))
        if (trouble := self._outage.trouble(f"the schedule {standing.name!r} cannot fire: {fault}")) is not None:
            self._observe(trouble)

    def _let_pass(self) -> None:
        now = time.monotonic()
        self._passed = {name: until for name, until in self._passed.items() if until > now}


def _batches(decisions: Sequence[Decision]) -> list[list[Decision]]:
    """The decisions in order of name, as all lock them, in batches of a bounded number of ticks."""
    batches: list[list[Decision]] = []
    ticks = schedules.MOST_TICKS
    for decision in sorted(decisions, key=lambda decision: decision.name):
        ticks += max(1, len(decision.ticks))
        if ticks > schedules.MOST_TICKS:
            batches.append([])
            ticks = len(decision.ticks)
        batches[-1].append(decision)
    return batches
