"""Runs claims as coroutines in one event loop, which has a thread of its own: a task that blocks the loop stops its
neighbours, never the heartbeat. Tasks that are no coroutines run in a few threads beside it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any
from uuid import UUID

from pgqueue import instruments
from pgqueue.context import WorkerPhase
from pgqueue.events import Finished, Observer
from pgqueue.job import Claim, each_of
from pgqueue.job_log import Outlet
from pgqueue.tasks import Task, import_modules
from pgqueue.worker.attempts.async_attempts import AsyncAttempts
from pgqueue.worker.attempts.async_homes import AsyncHomes
from pgqueue.worker.attempts.batch_call import prepare_batch
from pgqueue.worker.attempts.call import Call, prepare, undeclared
from pgqueue.worker.attempts.finishing import finish
from pgqueue.worker.attempts.loop_state import LoopState
from pgqueue.worker.attempts.middleware import load_middleware
from pgqueue.worker.attempts.tracebacks import stack_of
from pgqueue.worker.executors.base import (
    Leftover,
    Lines,
    NoLines,
    Report,
    Retire,
    Settings,
    Whereabouts,
    take_old,
)
from pgqueue.worker.executors.batches import all_of, parted, take_those
from pgqueue.worker.executors.in_process import InProcess
from pgqueue.worker.executors.judging import cancelled_unstarted, registered_targets, timed_out
from pgqueue.worker.executors.loop_thread import LoopThread
from pgqueue.worker.executors.thread import ThreadExecutor
from pgqueue.worker.executors.ticker import Ticker
from pgqueue.worker.executors.under_way import Running, UnderWay

# Threads for tasks that are no coroutines; under this executor they are the exception.
_MOST_THREADS = 8


class AsyncExecutor(InProcess):
    """One event loop, in which at most `concurrency` attempts are under way."""

    # Made by start().
    _loop: LoopThread
    _loop_state: LoopState
    _homes: AsyncHomes

    def __init__(
        self,
        settings: Settings,
        report: Report,
        observe: Observer,
        retire: Retire | None = None,
        lines: Lines | None = None,
    ) -> None:
        self.concurrency, self._settings = settings.concurrency, settings
        self._report, self._observe, self._lines = report, observe, lines or NoLines()
        in_threads = dataclasses.replace(settings, concurrency=min(_MOST_THREADS, settings.concurrency))
        self._retire = retire or (lambda why: None)
        self._threads = ThreadExecutor(in_threads, self._thread_ended, observe, retire, lines)
        self._ticker = Ticker("pgqueue-loop-watch", self._look)
        # By the worker id that claimed the jobs; None: all of them.
        self._declared: dict[int | None, frozenset[str]] = {}
        self._waiting: deque[tuple[Claim, float]] = deque()
        self._taken = self._returned = self._reported = self._given_up = 0
        self._started = self._stopping = self._closing = self._abandoned = False
        self._idle, self._running = threading.Event(), UnderWay(settings.grace)
        self._tasks: dict[str, Task[..., Any]] = {}
        self._phases: dict[int | None, WorkerPhase] = {}
        self._ended: list[Finished] = []
        self._ended_count = 0

    def start(self) -> None:
        """Start the loop. Raises AppError if the tasks' modules cannot be imported."""
        if self._started:
            return
        import_modules(self._settings.modules)
        middleware = load_middleware(self._settings.middleware)

        def attempts_of(dsn: str, worker: int) -> AsyncAttempts:
            lines = self._lines.of(worker)
            outlet = Outlet(lines.put, self._settings.store_logs, lines.show)
            return AsyncAttempts(dsn, middleware, outlet, self._settings.rights)

        self._homes = AsyncHomes(attempts_of, self._settings.dsn, self._settings.job_dsn)
        self._threads.start()
        self._loop = LoopThread(self._observe, self._homes.close)
        self._loop_state = LoopState(self._loop.loop)
        self._loop.start()
        self._ticker.start()
        self._started = True

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims."""
        now = monotonic()
        self._taken += len(claims)
        self._waiting.extend([(claim, now) for claim in claims])
        self._loop.call(self._fill)
        self._ticker.wake()

    def load(self) -> int:
        """Claims taken over and not yet reported or given back."""
        return self._taken - self._returned - self.ended()

    def ended(self) -> int:
        """How many calls have ended, or were given up."""
        return self._reported + self._given_up

    def enter(self, worker: int, dsn: str) -> None:
        """Jobs of this worker id come from there."""
        self._homes.enter(worker, dsn)
        self._threads.enter(worker, dsn)

    def leave(self, worker: int) -> None:
        """No more jobs of this worker id come."""
        self._declared.pop(worker, None)
        self._phases.pop(worker, None)
        self._loop.call(self._homes.leave, worker)
        self._threads.leave(worker)

    def end(self, worker: int) -> list[Leftover]:
        """Cancel the coroutines of the jobs of this worker id, and wait a moment for them."""
        left = [Leftover(each, started=False) for each in self.give_back(0.0, worker)]
        # Taken out first: what they are cancelled for is nobody's outcome.
        over = self._running.left_over(monotonic(), worker)
        left += [each for each in over if isinstance(each, Leftover)]
        if lost := [each for each in over if not isinstance(each, Leftover)]:
            self._report(lost)
        mine = [each for each in self._running.all() if each.claim.worker == worker]
        self._given_up += sum([self._running.take_out(each.claim) for each in mine])
        self._threads.end(worker)
        self._loop.wait_for(self._cancel_all(mine))
        self._loop.call(self._fill)
        return left

    def give_back(self, waited: float, of: int | None = None) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for their turn."""
        old = take_old(self._waiting, waited, of)
        self._returned += len(old)
        return all_of(old)

    def cancel(self, ids: Collection[UUID], of: int | None = None) -> None:
        """Cancel the coroutines of those jobs, tell the others, and start none that waits."""
        for claim, since in take_those(self._waiting, ids, of):
            rest, cancelled = parted(claim, ids)
            if rest is not None:
                self._waiting.appendleft((rest, since))
            self._report([cancelled_unstarted(each) for each in cancelled])
            self._returned += rest is None
        self._running.tell_cancelled(ids, of)
        self._threads.cancel(ids, of)

    def targets(self) -> frozenset[str]:
        """The targets registered here, and the plain functions that jobs may call."""
        return registered_targets() | frozenset(tuple(self._tasks)) | self._threads.targets()

    def declared(self, targets: Collection[str], of: int | None = None) -> None:
        """The database knows of these."""
        self._declared[of] = frozenset(targets)
        self._threads.declared(targets, of)

    def tell_phase(self, phase: WorkerPhase, of: int | None = None) -> None:
        """The worker is about something else."""
        self._phases[of] = phase
        self._running.tell_phase(phase, of)
        self._threads.tell_phase(phase, of)

    def crash_running(self, of: int | None = None) -> None:
        """Nothing: coroutines and threads cannot be ended."""

    def stop(self, timeout: float) -> list[Leftover]:
        """Wait for what runs, cancel what still runs after `timeout` seconds, and end the loop."""
        if not self._started or self._closing:
            return []
        self.tell_phase(WorkerPhase.STOPPING)
        left = [Leftover(each, started=False) for each in self.give_back(0.0)]
        self._stopping = True
        self._loop.call(self._say_if_idle)
        if not self._idle.wait(timeout):
            self._abandoned = True
            self._loop.wait_for(self._cancel_all(self._running.all()))
            over = self._running.left_over(monotonic())
            left += [each for each in over if isinstance(each, Leftover)]
            if lost := [each for each in over if not isinstance(each, Leftover)]:
                self._report(lost)
        self._threads.stop(0.0)
        self._close()
        return left

    def fence(self) -> list[Leftover]:
        """As stop(0): nothing that runs here can be ended sooner."""
        return self.stop(0.0)

    def running(self) -> list[tuple[Claim, float]]:
        """What runs, and for how long."""
        now = monotonic()
        return [(claim, now - each.since) for each in self._running.all() for claim in each_of(each.claim)]

    def whereabouts(self) -> list[Whereabouts]:
        """Where what runs is in its code: where it waits, or where it holds the loop."""
        return self._threads.whereabouts() + self._running.whereabouts(stack_of(self._loop.thread))

    def pids(self) -> list[int]:
        """None: what runs here runs in this process."""
        return []

    def kill(self) -> None:
        """Cancel everything, and report nothing more: a coroutine that does not yield cannot be ended."""
        self._abandoned = True
        self._threads.kill()
        if self._started and not self._closing:
            self._loop.wait_for(self._cancel_all(self._running.all()))
            self._close()

    async def _cancel_all(self, running: Sequence[Running]) -> None:
        tasks = [each.task for each in running if each.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _close(self) -> None:
        self._closing = True
        self._ticker.stop()
        self._loop.close()

    def _fill(self) -> None:
        with suppress(IndexError):
            while self._waiting and len(self._running) < self.concurrency and not self._stopping:
                claim, _ = self._waiting.popleft()
                running = self._running.begin(claim)
                if self._begun is not None:
                    for each in each_of(claim):
                        self._begun(each)
                # A context of its own: what one job sets, no other finds. And no task factory that a job has set.
                running.task = asyncio.Task(
                    self._attempt(running), loop=self._loop.loop, context=self._homes.context(claim)
                )

    async def _attempt(self, running: Running) -> None:
        claim = running.claim
        if type(claim) is not Claim:
            await self._attempt_batch(running)
            return
        call = prepare(claim, self._tasks, self._settings.modules, running.since)
        if not isinstance(call, Call):
            self._end(finish(claim, call, None, running.since))
        elif call.task.declared_first and (not_yet := undeclared(call, self._declared_to(claim))):
            self._end(finish(claim, not_yet, None, running.since))
        elif call.task.batching is not None:
            await self._attempt_batch(running)
        elif call.task.is_async:
            running.call = call
            # Read behind what was written: tell_phase() does both in the other order.
            if self._phases:
                call.tell_phase(self._phase_of(claim))
            attempts = self._homes.of(claim)
            watch = attempts.begin(call) if instruments.installed else None
            outcome = await attempts.run(call)
            if watch is None:
                self._end(finish(claim, outcome, call.task, running.since, call.given))
            else:
                self._end(attempts.end(call, outcome, running.since, watch))
        else:
            running.in_thread = True
            self._threads.submit((claim,))

    async def _attempt_batch(self, running: Running) -> None:
        declared = self._declared_to(running.claim)
        call, alone = prepare_batch(running.claim, self._tasks, self._settings.modules, running.since, declared)
        if call is None:
            self._end(*alone)
        elif call.task.is_async:
            running.call = call
            self._running.tell(running, call)
            call.tell_phase(self._phase_of(running.claim))
            attempts = self._homes.of(running.claim)
            watches, outcome = attempts.begin_batch(call), await attempts.run(call)
            self._end(*alone, *attempts.end_batch(call, outcome, running.since, watches))
        else:
            running.in_thread = True
            self._threads.submit((running.claim,))

    def _declared_to(self, claim: Claim) -> frozenset[str] | None:
        """What the database of a claim knows of; None if nobody asks."""
        if self._homes.many:
            return self._declared.get(claim.worker, frozenset())
        return self._declared.get(None)

    def _phase_of(self, claim: Claim) -> WorkerPhase:
        return self._phases.get(claim.worker) or self._phases.get(None) or WorkerPhase.WORKING

    def _thread_ended(self, batch: Sequence[Finished]) -> None:
        if not self._closing:
            self._loop.call(self._end, *batch)

    def _end(self, *batch: Finished) -> None:
        for finished in batch:
            if self._abandoned or (is_last := self._running.end(finished.claim)) is None:
                continue
            if not self._ended:
                self._loop.loop.call_soon(self._flush)
            self._ended.append(finished)
            self._ended_count += is_last
        if self._waiting:
            self._fill()

    def _flush(self) -> None:
        """Report what ended in this turn of the loop; what was set in it, no job finds that begins after it."""
        self._loop_state.put_back()
        ended, self._ended = self._ended, []
        count, self._ended_count = self._ended_count, 0
        self._report(ended)
        self._reported += count
        self._say_if_idle()

    def _say_if_idle(self) -> None:
        if self._stopping and not self._running and not self._ended:
            self._idle.set()

    def _look(self, now: float) -> bool:
        """Look for what runs too long, in the ticker's thread: the loop may be blocked."""
        self._lines.ring()
        if not self._abandoned:
            for running, said in self._running.overdue(now):
                self._give_up(running, said, now)
        return self.load() > 0

    def _give_up(self, running: Running, said: str, now: float) -> None:
        """Settle the attempt of a coroutine that does not end: it ignores that, or blocks the loop."""
        claim = running.claim
        if not self._running.take_out(claim):
            return
        self._report(timed_out(claim, said, now - running.since, stack_of(self._loop.thread)))
        self._given_up += 1
        self._retire(f"the coroutine of job {claim.id} ({claim.target}) does not end: it ran longer than its {said}")
