"""What a claim calls, and what the end of that call makes of the attempt; the call itself is attempt.py's."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from pgqueue.codec import decode_args, encode
from pgqueue.context import JobContext
from pgqueue.description import type_name
from pgqueue.errors import ArgumentError, LeaseLost
from pgqueue.events import Finished
from pgqueue.job import DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT, Claim
from pgqueue.outcome import (
    Bury,
    Cancel,
    Cancelled,
    Ended,
    ErrorReport,
    Failed,
    Late,
    Outcome,
    Reason,
    Released,
    Retry,
    Settlement,
    Signal,
    Snooze,
    Succeeded,
    Terms,
    Unregistered,
    error_report,
    judge,
)
from pgqueue.retry import seconds
from pgqueue.tasks import Refused, Task, Unknown, find_task

_SUCCEEDED = Succeeded()
# Frames of these files at the top of a traceback are ours: the user's begin below them.
_OUR_FILES = {__file__.replace("call.py", name) for name in ("attempt.py", "middleware.py", "private_loop.py")}
# A century, in seconds: what PostgreSQL's clock can still add.
_LONGEST_DELAY = 3.2e9


class Unstorable(Exception):
    """The task returned what cannot be stored as its result."""


@dataclass(slots=True)
class Call:
    """A claim that can be called: its task and its arguments."""

    claim: Claim
    task: Task[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    context: JobContext

    def returned(self, value: object) -> Succeeded:
        """The outcome of a task that returned `value`. Raises Unstorable."""
        if not self.claim.store_result:
            return _SUCCEEDED
        try:
            return Succeeded(encode(value, "result"))
        except ArgumentError as error:
            raise Unstorable(str(error)) from None
        except Exception as error:
            raise Unstorable(f"result: encoding it raised {type(error).__name__}") from error


def prepare(claim: Claim, tasks: dict[str, Task[..., Any]], apps: Sequence[str]) -> Call | Outcome:
    """Find the task and decode the arguments; the outcome, if the job cannot be called. `tasks` remembers."""
    try:
        task = tasks.get(claim.target) or _found(claim.target, tasks, apps)
        if claim.attempt > (claim.max_attempts or task.options.max_attempts or DEFAULT_MAX_ATTEMPTS):
            used_up = error_report("Exhausted", f"attempt {claim.attempt} was never started: all attempts are used up")
            return Ended(Reason.EXHAUSTED, used_up)
        args, kwargs = ([], {}) if claim.args == "{}" else decode_args(claim.args)
        labels = {} if claim.labels is None else _labels(claim.labels)
    except Refused as refusal:
        return Ended(Reason.REFUSED, error_report("Refused", refusal))
    except Unknown as gap:
        return Unregistered(error_report("Unregistered", gap))
    except ArgumentError as error:
        return Ended(Reason.UNREADABLE, error_report("Unreadable", error))
    except BaseException as error:
        # Importing or decoding ran out of memory, or worse; one bad job must not end the slot.
        return Failed(_report(error))
    if claim.store_result is None and task.options.store_result:
        claim = claim._replace(store_result=True)
    context = JobContext(claim, args or kwargs, labels, _deadline(claim, task), task.transactional)
    return Call(claim, task, args, kwargs, context)


def explain(call: Call, error: BaseException) -> Outcome:
    """What an exception that left the task makes of the attempt; one that cannot even be looked at is a failure."""
    try:
        return _explained(call, error)
    except BaseException as second:
        return Failed(_unspeakable(error, second))


def _explained(call: Call, error: BaseException) -> Outcome:
    match error:
        case Retry(delay=delay):
            return Failed(_signal_report(error), delay=delay, asked=True)
        case Snooze(delay=delay):
            return Released(delay, asked=True)
        case Bury():
            return Ended(Reason.BURIED, _signal_report(error))
        case Cancel():
            return Cancelled(_report(error).message)
        case LeaseLost() if call.context.late:
            return Late()
        case Unstorable():
            return Failed(error_report("Unstorable", error), retryable=False)
        case _:
            return Failed(_report(error), retryable=_is_retried(call.task, error))


def finish(claim: Claim, outcome: Outcome, task: Task[..., Any] | None, elapsed: float) -> Finished:
    """The settlement of an outcome; a retry policy that raises or answers nonsense hurts its own job alone."""
    try:
        return Finished(claim, _settlement(claim, outcome, task), elapsed)
    except BaseException as error:
        return Finished(claim, judge(claim, Failed(_report(error))), elapsed)


def _settlement(claim: Claim, outcome: Outcome, task: Task[..., Any] | None) -> Settlement:
    if task is None:
        return judge(claim, outcome)
    settlement = judge(claim, outcome, Terms(task.retry, task.options.max_attempts))
    if not 0 <= settlement.delay <= _LONGEST_DELAY:
        raise ValueError(f"a delay must be from 0 to {_LONGEST_DELAY:.0f} seconds, got {settlement.delay!r:.80}")
    if type(settlement.delay) is not float:
        # Of a class of the user's, it could not travel to the worker.
        return settlement._replace(delay=float(settlement.delay))
    return settlement


def _is_retried(task: Task[..., Any], error: BaseException) -> bool:
    try:
        return bool(task.retry.retries(error))
    except BaseException:
        # A policy of the user's own that is broken: the error itself is what must reach the history.
        return True


def _found(target: str, tasks: dict[str, Task[..., Any]], apps: Sequence[str]) -> Task[..., Any]:
    task = tasks[target] = find_task(target, apps)
    return task


def _deadline(claim: Claim, task: Task[..., Any]) -> float | None:
    timeout = claim.timeout
    if timeout is None:
        said = task.options.timeout
        timeout = DEFAULT_TIMEOUT if said is None else seconds(said)
    return None if math.isinf(timeout) else time.monotonic() + timeout


def _labels(text: str) -> Mapping[str, str]:
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"labels cannot be read: {error}") from None
    if not isinstance(labels, dict):
        raise ArgumentError(f"labels must be a JSON object, got {text:.80}")
    return labels


def _report(error: BaseException) -> ErrorReport:
    try:
        return ErrorReport.of(BaseException.with_traceback(error, _user_part(error.__traceback__)))
    except BaseException as second:
        return _unspeakable(error, second)


def _unspeakable(error: BaseException, second: BaseException) -> ErrorReport:
    return error_report(type_name(error), f"describing it raised {type_name(second)}")


def _signal_report(signal: Signal) -> ErrorReport:
    """A signal as an error: a traceback only where it was raised because of one."""
    report = _report(signal)
    caused = signal.__cause__ or signal.__context__
    return ErrorReport(type(signal).__name__, report.message, report.traceback if caused else None)


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename in _OUR_FILES:
        trace = trace.tb_next
    return trace
