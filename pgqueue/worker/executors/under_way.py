"""The attempts that are under way in an event loop, and which of them run too long."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from pgqueue.context import WorkerPhase, extended_until, tell_phase
from pgqueue.events import Finished
from pgqueue.job import Claim, Token
from pgqueue.worker.attempts.call import Call
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.attempts.tracebacks import stack_of_task
from pgqueue.worker.executors.base import Leftover, Whereabouts
from pgqueue.worker.executors.judging import left_over, registered_terms, spec_here
from pgqueue.worker.executors.watch import Due, Watch


@dataclass(slots=True)
class Running:
    """One attempt under way; `call` is there when its own code may begin, `in_thread` if that is no coroutine."""

    claim: Claim
    since: float
    task: asyncio.Task[None] | None = None
    call: Call | None = None
    in_thread: bool = False
    watch: Watch | None = None
    cancelled: bool = False


class UnderWay:
    """Written by the loop's thread, but for what is given up: whoever takes an attempt out reports it."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._running: dict[Token, Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, claim: Claim) -> Running:
        """An attempt begins."""
        running = self._running[claim.token] = Running(claim, monotonic())
        return running

    def take_out(self, claim: Claim) -> bool:
        """It has ended, or is given up; whether it was under way still."""
        return self._running.pop(claim.token, None) is not None

    def all(self) -> tuple[Running, ...]:
        """All of them; from any thread."""
        return tuple(self._running.values())

    def whereabouts(self, in_loop: str | None) -> list[Whereabouts]:
        """Where each waits; of one that runs at this moment `in_loop`, where the loop is."""
        now = monotonic()
        return [
            Whereabouts(each.claim, now - each.since, None, stack_of_task(each.task) or in_loop)
            for each in self.all()
            if each.task is not None and not each.in_thread
        ]

    def left_over(self, now: float) -> list[Leftover | Finished]:
        """What becomes of those that are not waited for any more."""
        return [
            left_over(each.claim, registered_terms(each.claim.target), now - each.since, cancelled=each.cancelled)
            for each in self.all()
        ]

    def tell_cancelled(self, ids: Collection[UUID]) -> None:
        """Tell those of these jobs whose own code runs."""
        for running in self.all():
            if running.claim.id in ids:
                running.cancelled = True
                if running.call is not None:
                    running.call.tell(Notice.CANCELLED)

    def tell_phase(self, phase: WorkerPhase) -> None:
        """Tell all of them what the worker is about."""
        for running in self.all():
            if running.call is not None:
                tell_phase(running.call.context, phase)

    def overdue(self, now: float) -> list[tuple[Running, str]]:
        """Tell what ran past its time; answers what did not end after that, with the limit that it has passed."""
        return [
            (running, running.watch.said)
            for running in self.all()
            if not running.in_thread and self._is_overdue(running, now) and running.watch is not None
        ]

    def _is_overdue(self, running: Running, now: float) -> bool:
        if running.watch is None:
            task = spec_here(running.claim.target)
            running.watch = Watch.over_thread(running.claim, task, running.since, self._grace)
        if running.call is not None:
            running.watch.extend(extended_until(running.call.context))
        due = running.watch.due(now)
        if due is Due.NOTICE and running.call is not None:
            running.call.tell(Notice.TIMEOUT)
        return due is Due.END
