"""Runs attempts: from a claim to what is to be written down about it. Whatever a task raises ends here."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from contextvars import copy_context
from time import monotonic
from types import CoroutineType
from typing import Any
from uuid import UUID

from pgqueue import instruments
from pgqueue.context import Middleware, WorkerPhase, equip, extended_until, running
from pgqueue.errors import DatabaseUnreachable
from pgqueue.events import Finished
from pgqueue.instruments import RunningWatch
from pgqueue.job import Claim, each_of
from pgqueue.job_log import Outlet
from pgqueue.outcome import Outcome, Succeeded
from pgqueue.store.job_rights import WORKERS_OWN, JobRights
from pgqueue.store.lender import Lender
from pgqueue.store.line import Line, OwnWire
from pgqueue.store.sync_or_async import at_once
from pgqueue.tasks import Modules, Task
from pgqueue.worker.attempts.async_attempts import AsyncAttempts
from pgqueue.worker.attempts.batch_call import BatchCall, finish_batch, prepare_batch, watched_to_the_end
from pgqueue.worker.attempts.call import Call, outlet_of, prepare, undeclared
from pgqueue.worker.attempts.exceptions import outcome_of
from pgqueue.worker.attempts.finishing import finish
from pgqueue.worker.attempts.forks import Process, end_copy
from pgqueue.worker.attempts.middleware import entered, remembering
from pgqueue.worker.attempts.notices import Guard, NoGuard, Notice
from pgqueue.worker.attempts.private_loop import PrivateLoop
from pgqueue.worker.attempts.transaction import (
    NoConnection,
    end_query,
    excuse,
    noting_end,
    swallowed,
)
from pgqueue.worker.attempts.units import leave_place, run_units


class Attempts:
    """Runs attempts one after the other, in the thread that calls it. Coroutines get a private event loop.

    `guard` is how a task that is no coroutine is told that its time is up, `outlet` where goes what it says. `declared`
    are the targets of tasks that may run at most once and that the database knows of; None if nobody asks.
    """

    # The attempt that runs or is about to, and what was told to which attempt last.
    number = -1
    _notice: tuple[int, Notice] | None = None
    # The same for jobs of a batch that were cancelled, and the others were not.
    _unwanted: tuple[int, frozenset[UUID]] = (-1, frozenset())
    _call: Call | None = None
    _phase = WorkerPhase.WORKING

    def __init__(
        self,
        dsn: str,
        modules: Modules,
        middleware: Sequence[Middleware],
        guard: Guard | None = None,
        outlet: Outlet | None = None,
        rights: JobRights = WORKERS_OWN,
    ) -> None:
        self.declared: Container[str] | None = None
        self._modules = modules
        self._middleware = middleware
        self._guard = guard or NoGuard()
        self._outlet = outlet
        self._tasks: dict[str, Task[..., Any]] = {}
        self._lender = Lender(dsn, is_async=False, rights=rights)
        self._wire = OwnWire(dsn, is_async=False, rights=rights)
        self._line = Line(self._wire)
        self._loop = PrivateLoop()
        self._async = AsyncAttempts(dsn, middleware, outlet, rights)
        self._pid = Process.watched()

    def run(self, claim: Claim, number: int = 0) -> Finished:
        """Run one claim to its end, under a number that grows; never raises."""
        self.number = number
        began = monotonic()
        call = prepare(claim, self._tasks, self._modules, began)
        if not isinstance(call, Call):
            return finish(claim, call, None, began)
        task = call.task
        if task.declared_first and (not_yet := undeclared(call, self.declared)):
            return finish(claim, not_yet, None, began)
        if task.batching is not None:
            return self.run_batch(claim, number)[0]
        call.number = number
        equip(
            call.context, self._line, self._outlet if task.bounds.store_logs is None else outlet_of(task, self._outlet)
        )
        self._call = call
        # tell() writes the one and reads the other in the other order: one of the two sees the other.
        if self._notice is not None and self._notice[0] == number:
            self._pass_on(call, self._notice[1])
        if self._phase is not WorkerPhase.WORKING:
            call.tell_phase(self._phase)
        # A context of its own, so that what a job sets in it ends with the job.
        context = copy_context()
        if instruments.installed:
            finished = context.run(self._run_watched, call, began)
        else:
            finished = finish(claim, context.run(self._run, call), task, began, call.given)
        if Process.id != self._pid:
            end_copy(self._pid)
        self._call = None
        return finished

    def run_all(self, claim: Claim, number: int = 0) -> Sequence[Finished]:
        """As run(), for one claim or those of a batch."""
        return (self.run(claim, number),) if type(claim) is Claim else self.run_batch(claim, number)

    def run_batch(self, claim: Claim, number: int = 0) -> list[Finished]:
        """Run the claims of a batch in one call; never raises."""
        self.number = number
        began = monotonic()
        call, alone = prepare_batch(claim, self._tasks, self._modules, began, self.declared)
        if call is None:
            return alone
        call.number = number
        call.equip(self._line, outlet_of(call.task, self._outlet))
        self._call = call
        if self._unwanted[0] == number:
            call.tell_some(self._unwanted[1])
        if self._notice is not None and self._notice[0] == number:
            self._pass_on(call, self._notice[1])
        if self._phase is not WorkerPhase.WORKING:
            call.tell_phase(self._phase)
        finished = copy_context().run(self._run_together, call, began)
        self._call = None
        place = {each.token: number for number, each in enumerate(each_of(claim))}
        return sorted(alone + finished, key=lambda done: place[done.claim.token])

    @property
    def found(self) -> frozenset[str]:
        """The targets that were found so far; from any thread."""
        return frozenset(tuple(self._tasks))

    def tell(self, number: int, notice: Notice) -> None:
        """Tell attempt `number`, if it is the one that runs; from any other thread."""
        if number != self.number:
            return
        self._notice = number, notice
        call = self._call
        if call is not None and call.number == number:
            self._pass_on(call, notice)

    def tell_phase(self, phase: WorkerPhase) -> None:
        """Tell the attempt that runs, and all that follow, what the worker is about; from any thread."""
        # As with notices: run() does the one and reads the other in the other order.
        self._phase = phase
        if (call := self._call) is not None:
            call.tell_phase(phase)

    def extended_until(self, number: int) -> float | None:
        """The time.monotonic() until which attempt `number` has asked to run, if it has; from any thread."""
        call = self._call
        return None if call is None or call.number != number else extended_until(call.context)

    def tell_some(self, number: int, ids: frozenset[UUID]) -> None:
        """Tell some jobs of batch `number`, if that runs, that they were cancelled; from any other thread."""
        before = self._unwanted
        self._unwanted = number, ids | before[1] if before[0] == number else ids
        call = self._call
        if isinstance(call, BatchCall) and call.number == number:
            call.tell_some(ids)

    def leave(self, number: int) -> None:
        """Cancel the coroutine of attempt `number`, whose end nobody waits for any more; from any other thread."""
        call = self._call
        if call is not None and call.number == number and call.task.is_async:
            call.tell(Notice.CANCELLED)

    def was_told(self, number: int, notice: Notice) -> bool:
        """Whether that was told to attempt `number` last; from any thread."""
        return self._notice == (number, notice)

    def find(self, claim: Claim) -> Task[..., Any] | None:
        """The task that a claim calls; None if there is none that may run."""
        call = prepare(claim, self._tasks, self._modules, monotonic())
        return call.task if isinstance(call, Call) else None

    def close(self) -> None:
        """Close the connections of jobs, and the private loop."""
        self._lender.close()
        self._wire.close()
        self._async.close()
        self._loop.close()

    def _pass_on(self, call: Call, notice: Notice) -> None:
        call.tell(notice)
        if notice is Notice.TIMEOUT:
            self._guard.strike(call.number)

    def _run_together(self, call: BatchCall, began: float) -> list[Finished]:
        running.set(call.context)
        # The first job's is the innermost: what the call does belongs to that.
        watches = [RunningWatch(item, item._claim) for item in reversed(call.batch)] if instruments.installed else []
        outcome = self._run(call)
        # What a job forked ends here, and is not looked at a second time.
        end_copy(self._pid)
        return watched_to_the_end(call, finish_batch(call, outcome, began), watches)

    def _run_watched(self, call: Call, began: float) -> Finished:
        running.set(call.context)
        watch = RunningWatch(call.context, call.claim)
        outcome = self._run(call)
        # What a job forked ends here, and is not looked at a second time.
        end_copy(self._pid)
        finished = finish(call.claim, outcome, call.task, began, call.given)
        return watch.ended(finished, call.error)

    def _run(self, call: Call) -> Outcome:
        running.set(call.context)
        try:
            if call.task.is_async:
                return self._loop.run(self._async.run(call))
            if not self._middleware:
                if call.task.transactional:
                    return self._called_in_transaction(call)
                return call.returned(self._own_code(call, call.task.function, *call.args))
            with entered(self._middleware, call.context), remembering(call):
                return self._called(call)
            return swallowed(call)
        except BaseException as error:
            call.error = error
            leave_place(call)
            return outcome_of(call, error)
        finally:
            call.raised = None

    def _called(self, call: Call) -> Succeeded:
        if call.task.transactional:
            return self._called_in_transaction(call)
        return call.returned(self._own_code(call, call.task.function, *call.args))

    def _called_in_transaction(self, call: Call) -> Succeeded:
        lender = self._lender
        try:
            conn = at_once(lender.lend(call.tenant))
        except DatabaseUnreachable as error:
            raise NoConnection from error
        call.take_line(self._line.within(conn, has_role=lender.role is not None))
        try:
            success = call.returned(self._own_code(call, call.task.function, conn, *call.args))
        except BaseException as error:
            if call.told is not None:
                end_query(conn)
            at_once(lender.roll_back())
            excuse(call, lender, error)
            raise
        with noting_end(call, lender):
            at_once(lender.commit(call.completion(success)))
        call.settled = Succeeded(success.result, settled=True)
        return call.settled

    def _own_code(self, call: Call, function: Callable[..., Any], *args: Any) -> Any:
        """Call the task's function: the only place where a notice may raise."""
        guard = self._guard
        try:
            guard.open(call.number)
            value = function(*args, **call.kwargs)
        finally:
            guard.close()
        if call.task.bounds.iterable:
            return run_units(call, value, guard, self._lender)
        # A sync function may have returned a coroutine, such as a decorated `async def`.
        return self._loop.run(call.awaited(value)) if type(value) is CoroutineType else value
