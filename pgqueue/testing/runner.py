"""A worker on one connection, with nothing beside it: claims a job, runs it here, settles it, and goes on.

Each step is the worker's own statement, in a savepoint where the caller has a transaction open: what a test enqueued
there runs there, and is rolled back with it.
"""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue import instruments
from pgqueue.enqueued import Enqueued
from pgqueue.errors import UsageError
from pgqueue.events import Finished
from pgqueue.hooks import names_of
from pgqueue.job import BatchClaim, Claim, NewJob, each_of
from pgqueue.judge import UNKNOWN, judge
from pgqueue.outcome import Expired, Move, Released
from pgqueue.sending import plain_one
from pgqueue.store import execute, follow_ups, jobs, keyed, queues, schedules, secrecy, workers
from pgqueue.store.jobs import Slot, Step
from pgqueue.store.keyed import KeyedSlot, Look
from pgqueue.store.unclaimed import alike, as_if_tried, begun_of, bring_within_reach, brought_by
from pgqueue.tasks import declared_follows
from pgqueue.testing.attempting import LocalAttempts, Seen
from pgqueue.testing.ran import Ran, ran_of
from pgqueue.worker.claiming.headers import with_headers
from pgqueue.worker.claiming.settler import settle, settle_alone
from pgqueue.worker.executors.judging import once_targets, registered_secrecies, registered_terms
from pgqueue.worker.hooks.here import Here
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.line_keeper import LineKeeper
from pgqueue.worker.upkeep.progress_keeper import ProgressKeeper
from pgqueue.worker.upkeep.scheduler import Scheduler

# Longer than any test: what a killed one holds is given to others after it.
LEASE = timedelta(hours=1)
# Until a job that is enqueued and claimed by name in one go would be due: for nobody else to see it.
HELD_BACK = 3_600.0
BEGINNING, FIRST = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)
# Queues that are served, lanes that are looked at for one job, and looks at schedules in a row.
MOST_QUEUES, VISITS, MOST_LOOKS = 1_000, 1_000, 1_000


class Runner:
    """begin(), then claims and settlements in turn, then end(). All on `conn`, which nobody else uses meanwhile."""

    def __init__(
        self, conn: Connection, worker: int, attempts: LocalAttempts, lines: LineKeeper, progress: ProgressKeeper
    ) -> None:
        self._conn = conn
        self._attempts = attempts
        self._lines = lines
        self._progress = progress
        self._worker = worker
        self._scheduler = Scheduler(lambda event: None, 5.0)
        self._number = 0

    def begin(self) -> None:
        """Take a lease, and say what any worker says of its tasks."""
        lease = workers.enlist(
            self._worker, socket.gethostname(), os.getpid(), [], "test", 1, LEASE, sorted(once_targets())
        )
        execute(self._conn, lease)
        # Not in the caller's transaction: whoever else declares the same would wait for its end.
        if self._conn.info.transaction_status is TransactionStatus.IDLE:
            execute(self._conn, secrecy.declare(registered_secrecies()))

    def end(self) -> None:
        """Give the lease back."""
        with suppress(psycopg.Error):
            self._lines.flush(self._conn)
            execute(self._conn, workers.discharge(self._worker, clean=True))

    def fire(self) -> None:
        """Enqueue what schedules have come to."""
        for _ in range(MOST_LOOKS):
            wait = execute(self._conn, schedules.next_tick())
            if wait is None or wait > 0:
                return
            with self._conn.transaction():
                self._scheduler.look(self._conn)

    def claim(self) -> Claim | Ran | None:
        """The job that is next; what became of it, if it may not start any more; None if nothing is due."""
        if self._conn.info.transaction_status is TransactionStatus.INTRANS:
            execute(self._conn, bring_within_reach())
        names = execute(self._conn, queues.first(MOST_QUEUES))
        slots = [Slot(name, priority, BEGINNING, FIRST) for priority in range(9, -1, -1) for name in names]
        step = execute(self._conn, jobs.step(self._worker, [], slots, timedelta(), 1))
        if not (step.claims or step.expired):
            step = self._claim_keyed()
        for claim in step.expired:
            expired = judge(claim, Expired(), registered_terms(claim.target) or UNKNOWN)
            return self.settle(Finished(claim, expired, 0.0), Seen())
        return self._gathered(self._prepared(step.claims[0])) if step.claims else None

    def enqueue(self, new: NewJob, attempts: int) -> UUID:
        """A job that was tried so often, and is not due before claim_one() takes it."""
        made: Enqueued = plain_one(self._conn, replace(new, delay=HELD_BACK))
        if attempts:
            execute(self._conn, as_if_tried(made.id, attempts))
        return made.id

    def claim_one(self, job_id: UUID) -> Claim | None:
        """This job, whatever waits before it; None if it does not wait."""
        claim = execute(self._conn, jobs.claim_one(self._worker, job_id))
        return None if claim is None else self._prepared(claim)

    def brought_by(self, job_id: UUID) -> list[UUID]:
        """The jobs that follow this one, and wait."""
        return execute(self._conn, brought_by(job_id))

    def begun_of(self, workflow_id: UUID, but: Sequence[UUID]) -> list[UUID]:
        """Jobs of a workflow that wait for a worker, but these."""
        return execute(self._conn, begun_of(workflow_id, but))

    def run(self, claim: Claim, limit: float | None) -> list[Ran]:
        """One attempt and its settlement; several for a batch."""
        self._number += 1
        return [self.settle(*each) for each in self._attempts.attempt(claim, self._number, limit)]

    async def run_in_loop(self, claim: Claim, limit: float | None) -> list[Ran]:
        """The same, where a coroutine is to run in the event loop of the test."""
        self._number += 1
        return [self.settle(*each) for each in await self._attempts.attempt_in_loop(claim, self._number, limit)]

    def give_back(self, claim: Claim) -> None:
        """It was never started."""
        for each in each_of(claim):
            self.settle(Finished(each, judge(each, Released(started=False)), 0.0), Seen())

    def settle(self, finished: Finished, seen: Seen) -> Ran:
        """Write the outcome down, tell hooks of it, and answer it."""
        # While it has the job: of a late attempt nobody wants to know.
        self._progress.flush(self._conn)
        settled, late = self._settled(finished)
        if late:
            settled = settled._replace(settlement=settled.settlement._replace(move=Move.LATE, outcome="late"))
        self._lines.flush(self._conn)
        for name in names_of(settled, is_late=late):
            for fault in Here().tell(name, settled):
                warnings.warn(f"a hook failed: {fault}", RuntimeWarning, stacklevel=2)
        return ran_of(settled, seen)

    def _settled(self, finished: Finished) -> tuple[Finished, bool]:
        try:
            with self._conn.transaction():
                (written,), late = settle(self._conn, self._worker, [finished])
        except psycopg.Error as error:
            with self._conn.transaction():
                (written,), late = settle_alone(self._conn, self._worker, finished, error)
        return written, bool(late)

    def _claim_keyed(self) -> Step:
        """A job that has limits, and whose turn they allow."""
        slots: Sequence[KeyedSlot] = ()
        after = ""
        for _ in range(MOST_LOOKS):
            found = execute(
                self._conn, keyed.claim(self._worker, 0, slots, 1, free=1, visits=VISITS, look=Look(None, after))
            )
            if found.unadopted:
                execute(self._conn, keyed.adopt())
            elif found.step.claims or found.step.expired or not (found.more or found.look_after):
                return found.step
            slots, after = found.slots, found.look_after or ""
        raise UsageError(f"{MOST_LOOKS:,} looks at jobs with limits found none that may run")

    def _gathered(self, claim: Claim) -> Claim:
        """The claim with those of its batch, if its task runs batches."""
        task = self._attempts.find(claim)
        if task is None or task.batching is None:
            return claim
        size = task.batching.company(claim, task.terms.max_attempts)
        others = (self.claim_one(each) for each in execute(self._conn, alike(claim.id, size - 1)))
        return BatchClaim.of([claim, *filter(None, others)])

    def _prepared(self, claim: Claim) -> Claim:
        """The claim with its headers, once the database knows what follows its task."""
        task = self._attempts.find(claim)
        if task is not None and (said := declared_follows(task)) is not None:
            execute(self._conn, follow_ups.declare([(claim.target, said)], []))
        return with_headers(self._conn, [claim], lambda: bool(instruments.installed))[0]
