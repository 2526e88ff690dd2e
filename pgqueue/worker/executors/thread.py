"""Runs claims in threads of the worker process. A thread cannot be ended: what runs too long is left behind."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from time import monotonic
from uuid import UUID

from pgqueue.context import Middleware, WorkerPhase, be_at_home_here
from pgqueue.events import Observer
from pgqueue.job import Claim, each_of
from pgqueue.job_log import Outlet
from pgqueue.tasks import import_modules, plain_targets
from pgqueue.worker import task_log
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.homes import Homes
from pgqueue.worker.attempts.middleware import load_middleware
from pgqueue.worker.attempts.notices import Notice, ThreadGuard
from pgqueue.worker.attempts.tracebacks import stack_of
from pgqueue.worker.executors.base import Leftover, Lines, NoLines, Report, Retire, Settings, Whereabouts
from pgqueue.worker.executors.batches import (
    all_of,
    ids_among,
    left_unstarted,
    whereabouts_of,
)
from pgqueue.worker.executors.in_process import InProcess
from pgqueue.worker.executors.inbox import Inbox
from pgqueue.worker.executors.judging import (
    cancelled_unstarted,
    left_over,
    registered_targets,
    registered_terms,
    timed_out,
    times_here,
)
from pgqueue.worker.executors.thread_slot import Slot
from pgqueue.worker.executors.ticker import Ticker
from pgqueue.worker.executors.watch import Due, Watch

# How often stop() looks whether a thread has been given up, seconds.
_STEP = 0.2


class ThreadExecutor(InProcess):
    """One thread a slot, all taking claims from one queue."""

    def __init__(
        self,
        settings: Settings,
        report: Report,
        observe: Observer,
        retire: Retire | None = None,
        lines: Lines | None = None,
    ) -> None:
        self.concurrency = settings.concurrency
        self._settings = settings
        self._report = report
        self._retire = retire or (lambda why: None)
        self._lines = lines or NoLines()
        # By the worker id that claimed the jobs; None: all of them.
        self._entered: dict[int, str] = {}
        self._declared: dict[int | None, frozenset[str]] = {}
        self._phases: dict[int | None, WorkerPhase] = {}
        self._middleware: Sequence[Middleware] = ()
        self._plain: frozenset[str] = frozenset()
        self._ticker = Ticker("pgqueue-slots-watch", self._look)
        self._inbox = Inbox()
        self._slots: list[Slot] = []
        # What slots had ended that were replaced.
        self._ended_before = 0
        self._taken = 0
        self._returned = 0

    def start(self) -> None:
        """Start the threads. Raises AppError if the tasks' modules cannot be imported."""
        if self._slots:
            return
        import_modules(self._settings.modules)
        self._plain = plain_targets(self._settings.modules)
        task_log.begin(self._settings.log, self._settings.store_logs)
        self._middleware = load_middleware(self._settings.middleware)
        for number in range(self.concurrency):
            self._slots.append(self._new_slot(number))
            self._slots[-1].thread.start()
        self._ticker.start()

    def _new_slot(self, number: int) -> Slot:
        slot = Slot()
        slot.thread = threading.Thread(target=self._work, args=(slot,), name=f"pgqueue-slot-{number}", daemon=True)
        return slot

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims."""
        self._taken += len(claims)
        self._inbox.add(claims)
        self._ticker.wake()

    def load(self) -> int:
        """Claims taken over and not yet reported or given back."""
        return self._taken - self._returned - self.ended()

    def ended(self) -> int:
        """How many calls its threads have ended."""
        return self._ended_before + sum(slot.ended for slot in self._slots)

    def enter(self, worker: int, dsn: str) -> None:
        """Jobs of this worker id come from there."""
        self._entered[worker] = dsn
        for homes in self._homes():
            homes.enter(worker, dsn)

    def leave(self, worker: int) -> None:
        """No more jobs of this worker id come."""
        for of_workers in (self._entered, self._declared, self._phases):
            of_workers.pop(worker, None)
        for homes in self._homes():
            homes.leave(worker)

    def end(self, worker: int) -> list[Leftover]:
        """Leave behind the threads that run jobs of this worker id: others take their place."""
        waiting = self._inbox.take(lambda claim, _: claim.worker == worker)
        self._returned += len(waiting)
        left = [each for claim in waiting for each in left_unstarted(claim)]
        for number, slot in enumerate(self._slots):
            with slot.handing_on:
                if slot.running is None or slot.running[1].worker != worker or slot.abandoned:
                    continue
                left += self._abandon(slot, slot.running)
            self._ended_before += slot.ended
            fresh = self._slots[number] = self._new_slot(number)
            fresh.thread.start()
        return left

    def give_back(self, waited: float, of: int | None = None) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for a thread."""
        latest = monotonic() - waited
        old = self._inbox.take(lambda claim, since: since <= latest and (of is None or claim.worker == of))
        self._returned += len(old)
        return all_of(old)

    def cancel(self, ids: Collection[UUID], of: int | None = None) -> None:
        """Tell those of its jobs that they were cancelled; a thread is never ended for it."""
        cancelled, gone = self._inbox.part(ids, of)
        if cancelled:
            self._report([cancelled_unstarted(claim) for claim in cancelled])
            self._returned += gone
        for slot in self._slots:
            running = slot.running
            if running is not None and slot.attempts is not None and (told := ids_among(running[1], ids, of)):
                slot.tell_cancelled(slot.attempts, running, told)

    def targets(self) -> frozenset[str]:
        """The targets registered here, and the plain functions that jobs may call."""
        return registered_targets().union(self._plain, *(homes.found for homes in self._homes()))

    def declared(self, targets: Collection[str], of: int | None = None) -> None:
        """The database knows of these."""
        self._declared[of] = frozenset(targets)
        for homes in self._homes():
            homes.declared(self._declared[of], of)

    def tell_phase(self, phase: WorkerPhase, of: int | None = None) -> None:
        """The worker is about something else."""
        self._phases[of] = phase
        for homes in self._homes():
            homes.tell_phase(phase, of)

    def _homes(self) -> list[Homes]:
        return [slot.homes for slot in self._slots if slot.homes is not None]

    def crash_running(self, of: int | None = None) -> None:
        """Nothing: threads cannot be ended."""

    def stop(self, timeout: float) -> list[Leftover]:
        """Wait for what runs, and leave behind what is still running after `timeout` seconds."""
        deadline = monotonic() + timeout
        self.tell_phase(WorkerPhase.STOPPING)
        waiting = self._inbox.take(lambda *_: True)
        self._returned += len(waiting)
        left = [each for claim in waiting for each in left_unstarted(claim)]
        self._inbox.end(len(self._slots))
        for slot in self._slots:
            while not slot.abandoned and slot.thread.is_alive() and (wait := deadline - monotonic()) > 0:
                # In steps: its job may be given up meanwhile.
                slot.thread.join(min(wait, _STEP))
        for slot in self._slots:
            with slot.handing_on:
                if slot.running is not None and not slot.abandoned:
                    left += self._abandon(slot, slot.running)
        self._ticker.stop()
        return left

    def _abandon(self, slot: Slot, running: tuple[int, Claim, float]) -> list[Leftover]:
        """Wait no more for what it runs; answers what is to be given back of that."""
        slot.abandoned = True
        number, claim, since = running
        told = slot.attempts is not None and slot.attempts.was_told(number, Notice.CANCELLED)
        left: list[Leftover] = []
        for each in each_of(claim):
            match left_over(each, registered_terms(each.target), monotonic() - since, cancelled=told):
                case Leftover() as leftover:
                    left.append(leftover)
                case lost:
                    self._report((lost,))
        self._returned += 1
        if slot.attempts is not None:
            slot.attempts.leave(number)
        return left

    def fence(self) -> list[Leftover]:
        """As stop(0): nothing that runs here can be ended sooner."""
        return self.stop(0.0)

    def running(self) -> list[tuple[Claim, float]]:
        """What runs, and for how long."""
        now = monotonic()
        running = [slot.running for slot in self._slots if not slot.abandoned]
        begun = [each for each in running if each is not None]
        return [(each, now - since) for _, claim, since in begun for each in each_of(claim)]

    def whereabouts(self) -> list[Whereabouts]:
        """Where what runs is in its code."""
        now = monotonic()
        there = [(slot.running, slot.thread) for slot in self._slots if not slot.abandoned]
        return [
            each
            for running, thread in there
            if running is not None
            for each in whereabouts_of(running[1], now - running[2], None, stack_of(thread), None)
        ]

    def pids(self) -> list[int]:
        """None: what runs here runs in this process."""
        return []

    def kill(self) -> None:
        """Start nothing more, and report nothing more: threads cannot be ended."""
        for slot in self._slots:
            slot.abandoned = True
        self._inbox.end(len(self._slots))
        self._ticker.stop()

    def _attempts(self, dsn: str, worker: int) -> Attempts:
        lines = self._lines.of(worker)
        outlet = Outlet(lines.put, self._settings.store_logs, lines.show)
        settings = self._settings
        return Attempts(dsn, settings.modules, self._middleware, ThreadGuard(), outlet, settings.rights)

    def _work(self, slot: Slot) -> None:
        be_at_home_here(self._settings.home)
        homes = slot.homes = Homes(self._attempts, self._settings.dsn, be_at_home_here)
        for worker, dsn in tuple(self._entered.items()):
            homes.enter(worker, dsn)
        for of, targets in tuple(self._declared.items()):
            homes.declared(targets, of)
        for of, phase in tuple(self._phases.items()):
            homes.tell_phase(phase, of)
        number = 0
        while (claim := self._inbox.get()) is not None and not slot.abandoned:
            number += 1
            attempts = slot.attempts = homes.of(claim)
            attempts.number = number
            slot.running = number, claim, monotonic()
            if self._begun is not None:
                for each in each_of(claim):
                    self._begun(each)
            finished = attempts.run_all(claim, number)
            with slot.handing_on:
                if slot.abandoned:
                    break
                self._report(finished)
                slot.running = None
                slot.ended += 1
        homes.close()

    def _look(self, now: float) -> bool:
        self._lines.ring()
        for slot in self._slots:
            running = slot.running
            if running is not None and slot.attempts is not None and not slot.abandoned:
                self._look_at(slot, slot.attempts, running, now)
        return self.load() > 0

    def _look_at(self, slot: Slot, attempts: Attempts, running: tuple[int, Claim, float], now: float) -> None:
        number, claim, since = running
        task = times_here(claim.target)
        # A task may become known while its job runs: when that imports its module.
        if slot.watch is None or slot.watch[:2] != (number, task is None):
            slot.watch = number, task is None, Watch.over_thread(claim, task, since, self._settings.grace)
        watch = slot.watch[2]
        watch.extend(attempts.extended_until(number))
        match watch.due(now):
            case Due.NOTICE:
                attempts.tell(number, Notice.TIMEOUT)
            case Due.END:
                self._give_up(slot, running, watch.said, now)

    def _give_up(self, slot: Slot, running: tuple[int, Claim, float], said: str, now: float) -> None:
        """Settle the attempt of a thread that does not end, which only the end of the process can end."""
        number, claim, since = running
        with slot.handing_on:
            if slot.abandoned or slot.running is None or slot.running[0] != number:
                return
            slot.abandoned = True
            self._report(timed_out(claim, said, now - since, stack_of(slot.thread)))
            slot.ended += 1
        self._retire(f"the thread of job {claim.id} ({claim.target}) does not end: it ran longer than its {said}")
