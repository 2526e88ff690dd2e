"""What a claim calls, and the settlement of how that ended; the call itself is attempt.py's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Container, Mapping
from contextlib import suppress
from math import inf
from types import CoroutineType
from typing import Any

from pgqueue.codec import decode_args
from pgqueue.context import JobContext, WorkerPhase, equip, give_line, tell_cancelled, tell_phase
from pgqueue.errors import ArgumentError
from pgqueue.job import Claim
from pgqueue.job_log import Outlet
from pgqueue.outcome import (
    Ended,
    Failed,
    Outcome,
    Reason,
    Released,
    Succeeded,
    Unregistered,
    error_report,
)
from pgqueue.record import EndedJob
from pgqueue.sealed import CODEC, ENDED
from pgqueue.spawning import Spawning
from pgqueue.store import Statement, jobs
from pgqueue.store.line import Line
from pgqueue.tasks import Modules, Refused, Task, Unknown, find_task
from pgqueue.tasks.following import NOTHING_FOLLOWS
from pgqueue.worker import task_log
from pgqueue.worker.attempts.arguments import OwnContext, Taken, taken
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.attempts.tracebacks import report

SUCCEEDED = Succeeded()
_SPAWNING = Spawning()
# How soon a job is asked for again that may run at most once, and whose worker had not said so to the database.
_UNDECLARED_DELAY = 1.0


class Unstorable(Exception):
    """The task returned what cannot be stored as its result."""


class Call:
    """A claim that can be called: its task and its arguments; and what it has been told since."""

    # Set on few: what stands here costs the others nothing.
    number = 0
    # The yields that it came to, if it is iterable.
    units = 0
    # Whether it is that of a batch, which fails for one and for all.
    is_together = False
    told: Notice | None = None
    # What its own code raised, while a middleware is round it; and its success, once its transaction has committed.
    raised: BaseException | None = None
    settled: Succeeded | None = None
    # What became of the call in the end, if it raised: for who looks on.
    error: BaseException | None = None
    # The arguments, where they are not as JSON has them in the claim.
    given: Taken | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    # The coroutine that may be cancelled: while the task's own code runs, and not after that.
    _own: asyncio.Task[Any] | None = None

    def __init__(
        self, claim: Claim, task: Task[..., Any], args: list[Any], kwargs: dict[str, Any], context: JobContext
    ) -> None:
        self.claim = claim
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.context = context

    def tell(self, notice: Notice) -> None:
        """Tell the running task; from any thread. A coroutine is cancelled, other code is the business of a guard."""
        if self.told is not Notice.CANCELLED:
            self.told = notice
        if notice is Notice.CANCELLED:
            tell_cancelled(self.context)
        # Read after `told` was written: awaited() does both in the other order.
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._interrupt)

    def tell_phase(self, phase: WorkerPhase) -> None:
        """Tell the running task what its worker is about; from any thread."""
        tell_phase(self.context, phase)

    def equip(self, line: Line, outlet: Outlet | None) -> None:
        """Let the task ask and write in the database by itself, and have what it says go to the outlet."""
        equip(self.context, line, outlet)

    def take_line(self, line: Line) -> None:
        """Let the task ask and write in the database by itself there, from now on."""
        give_line(self.context, line)

    @property
    def tenant(self) -> str | None:
        """For whom its own transaction acts."""
        return self.claim.tenant

    async def awaited(self, coroutine: Awaitable[Any]) -> Any:
        """Await the task's coroutine, which is cancelled if the task was, or is, told that it should end."""
        self._loop = asyncio.get_running_loop()
        if self.told is not None:
            if isinstance(coroutine, CoroutineType):
                coroutine.close()
            raise asyncio.CancelledError
        self._own = asyncio.current_task()
        try:
            return await coroutine
        finally:
            self._own = None

    def _interrupt(self) -> None:
        if self._own is not None:
            own, self._own = self._own, None
            own.cancel()

    def returned(self, value: object) -> Succeeded:
        """The outcome of a task that returned `value`. Raises Unstorable."""
        brings = self.context._brings
        if not self.claim.store_result:
            return SUCCEEDED if brings is None else Succeeded(brings=brings)
        try:
            text = self.context._written(value)
            return Succeeded(text, brings=brings)
        except ArgumentError as error:
            raise Unstorable(str(error)) from None
        except Exception as error:
            raise Unstorable(f"result: encoding it raised {type(error).__name__}") from error

    def completion(self, success: Succeeded) -> Statement[bool]:
        """What records its success in the task's own transaction, with all that it brings."""
        brings = None if success.brings is None else success.brings.text()
        return jobs.complete(self.claim, success.result, brings)


def prepare(claim: Claim, tasks: dict[str, Task[..., Any]], modules: Modules, now: float) -> Call | Outcome:
    """Find the task and decode the arguments; the outcome, if the job cannot be called. `tasks` remembers.

    Its timeout begins at monotonic() time `now`.
    """
    try:
        task = tasks.get(claim.target) or _found(claim.target, tasks, modules)
        # There is always a first one.
        if claim.attempt > 1 and claim.attempt > claim.most_attempts(task.options.max_attempts):
            used_up = error_report("Exhausted", f"attempt {claim.attempt} was never started: all attempts are used up")
            return Ended(Reason.EXHAUSTED, used_up)
        args, kwargs = ([], {}) if claim.args == "{}" else decode_args(claim.args)
        labels = {} if claim.labels is None else _labels(claim.labels)
        given: Taken | None = None
        if CODEC in claim.args or not task.is_plain:
            found = taken(claim, task, args, kwargs)
            if not isinstance(found, Taken):
                return found
            given = found
    except Refused as refusal:
        return Ended(Reason.REFUSED, error_report("Refused", refusal))
    except Unknown as gap:
        return Unregistered(error_report("Unregistered", gap))
    except ArgumentError as error:
        return Ended(Reason.UNREADABLE, error_report("Unreadable", error))
    except BaseException as error:
        # Importing or decoding ran out of memory, or worse; one bad job must not end the slot.
        return Failed(report(error))
    if claim.store_result is None and task.options.store_result:
        claim = claim._replace(store_result=True)
    spawner = (
        _SPAWNING if task.follows is NOTHING_FOLLOWS else Spawning(task.follows.max_depth, task.follows.max_children)
    )
    timeout = claim.longest(task.timeout)
    deadline = None if timeout == inf else now + timeout
    if given is None:
        context = JobContext(claim, args or kwargs, labels, deadline, task.transactional, task.secrecy, spawner)
    else:
        context = OwnContext(claim, task, given, labels, deadline, spawner)
        args, kwargs = given.args, given.kwargs
    if task.bounds.iterable:
        context._iterable = True
    if ENDED in kwargs and task.takes_ended_job:
        kwargs = _with_ended_job(kwargs)
    call = Call(claim, task, args, kwargs, context)
    if given is not None:
        call.given = given
    return call


def outlet_of(task: Task[..., Any], outlet: Outlet | None) -> Outlet | None:
    """Where what jobs of a task say goes: as the worker has it, but for what the task says of what it logs."""
    said = task.bounds.store_logs
    if said is None or outlet is None:
        return outlet
    if said == "off":
        return outlet._replace(store=None)
    task_log.keep(said)
    return outlet._replace(store=said)


def undeclared(call: Call, declared: Container[str] | None) -> Outcome | None:
    """The outcome of a job whose task is to be declared first, if the database does not know it yet.

    If its worker vanished, it would run again, or nothing would follow. None if it may start.
    """
    if not call.task.declared_first or declared is None or call.claim.target in declared:
        return None
    if call.task.bounds.at_most_once:
        why = "it may run at most once, and its worker has yet to say so to the database"
    else:
        why = "other jobs follow its end, and its worker has yet to say so to the database"
    return Released(_UNDECLARED_DELAY, started=False, why=why)


def _found(target: str, tasks: dict[str, Task[..., Any]], modules: Modules) -> Task[..., Any]:
    task = tasks[target] = find_task(target, modules)
    return task


def _with_ended_job(kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        return {**kwargs, ENDED: EndedJob.read(kwargs[ENDED])}
    except (AttributeError, KeyError, TypeError, ValueError):
        # Called by hand, with something else.
        return kwargs


def _labels(text: str) -> Mapping[str, str]:
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"labels cannot be read: {error}") from None
    if not isinstance(labels, dict):
        raise ArgumentError(f"labels must be a JSON object, got {text:.80}")
    return labels
