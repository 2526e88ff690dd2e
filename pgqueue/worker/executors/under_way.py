"""The attempts that are under way in an event loop, and which of them run too long."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from time import monotonic
from uuid import UUID

from pgqueue.context import WorkerPhase, extended_until
from pgqueue.events import Finished
from pgqueue.job import Claim, each_of
from pgqueue.worker.attempts.batch_call import BatchCall
from pgqueue.worker.attempts.call import Call
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.attempts.tracebacks import stack_of_task
from pgqueue.worker.executors.base import Leftover, Whereabouts
from pgqueue.worker.executors.batches import are_all, ids_among, whereabouts_of
from pgqueue.worker.executors.judging import left_over, registered_terms, times_here
from pgqueue.worker.executors.watch import Due, Watch

# Attempts younger than this are not looked at, seconds: most end before, and the ticker looks as seldom.
_YOUNG = 0.05


# A token of one worker id, as it may be another's, too: a copy of a database has the same jobs.
_Key = tuple[int, int, int]


class Running:
    """One attempt under way; `call` is there when its own code may begin, `in_thread` if that is no coroutine."""

    # Set on few: what stands here costs the others nothing.
    task: asyncio.Task[None] | None = None
    call: Call | None = None
    in_thread = False
    watch: Watch | None = None
    cancelled = False
    # Of a batch: how many of its claims have not ended, and the jobs that were cancelled.
    left = 0
    unwanted: frozenset[UUID] = frozenset()

    def __init__(self, claim: Claim, since: float) -> None:
        self.claim = claim
        self.since = since


class UnderWay:
    """Written by the loop's thread, but for what is given up: whoever takes an attempt out reports it."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._running: dict[_Key, Running] = {}
        # By each claim of a batch that has not ended.
        self._batches: dict[_Key, Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, claim: Claim) -> Running:
        """An attempt begins."""
        running = self._running[_key(claim)] = Running(claim, monotonic())
        if type(claim) is not Claim:
            running.left = len(each_of(claim))
            self._batches.update((_key(each), running) for each in each_of(claim))
        return running

    def end(self, claim: Claim) -> bool | None:
        """This one has ended; whether nothing of its batch is left with that. None if it was not under way."""
        key = _key(claim)
        running = self._batches.pop(key, None) if self._batches else None
        if running is None:
            return True if self._running.pop(key, None) is not None else None
        running.left -= 1
        if not running.left:
            self._running.pop(_key(running.claim), None)
        return not running.left

    def take_out(self, claim: Claim) -> bool:
        """It, or the batch, is given up; whether it was under way still."""
        for each in each_of(claim):
            self._batches.pop(_key(each), None)
        return self._running.pop(_key(claim), None) is not None

    def all(self) -> tuple[Running, ...]:
        """All of them; from any thread."""
        return tuple(self._running.values())

    def whereabouts(self, in_loop: str | None) -> list[Whereabouts]:
        """Where each waits; of one that runs at this moment `in_loop`, where the loop is."""
        now = monotonic()
        return [
            where
            for each in self.all()
            if each.task is not None and not each.in_thread
            for where in whereabouts_of(each.claim, now - each.since, None, stack_of_task(each.task) or in_loop, None)
        ]

    def left_over(self, now: float, of: int | None = None) -> list[Leftover | Finished]:
        """What becomes of those that are not waited for any more. `of` as in Executor."""
        return [
            left_over(claim, registered_terms(claim.target), now - each.since, cancelled=each.cancelled)
            for each in self.all()
            if of is None or each.claim.worker == of
            for claim in each_of(each.claim)
            if not each.left or _key(claim) in self._batches
        ]

    def tell_cancelled(self, ids: Collection[UUID], of: int | None = None) -> None:
        """Tell those of these jobs whose own code runs."""
        for running in self.all():
            if told := ids_among(running.claim, ids, of):
                running.unwanted |= told
                running.cancelled = are_all(running.claim, running.unwanted)
                if running.call is not None:
                    self.tell(running, running.call)

    def tell(self, running: Running, call: Call) -> None:
        """Tell a call what its jobs are to know of their cancelling."""
        if running.cancelled:
            call.tell(Notice.CANCELLED)
        elif running.unwanted and isinstance(call, BatchCall):
            call.tell_some(running.unwanted)

    def tell_phase(self, phase: WorkerPhase, of: int | None = None) -> None:
        """Tell all of them what the worker is about."""
        for running in self.all():
            if running.call is not None and (of is None or running.claim.worker == of):
                running.call.tell_phase(phase)

    def overdue(self, now: float) -> list[tuple[Running, str]]:
        """Tell what ran past its time; answers what did not end after that, with the limit that it has passed."""
        return [
            (running, running.watch.said)
            for running in self.all()
            if not running.in_thread and self._is_overdue(running, now) and running.watch is not None
        ]

    def _is_overdue(self, running: Running, now: float) -> bool:
        if running.watch is None:
            if now - running.since < _YOUNG:
                return False
            task = times_here(running.claim.target)
            running.watch = Watch.over_thread(running.claim, task, running.since, self._grace)
        if running.call is not None:
            running.watch.extend(extended_until(running.call.context))
        due = running.watch.due(now)
        if due is Due.NOTICE and running.call is not None:
            running.call.tell(Notice.TIMEOUT)
        return due is Due.END


def _key(claim: Claim) -> _Key:
    return claim.id.int, claim.claim, claim.worker
