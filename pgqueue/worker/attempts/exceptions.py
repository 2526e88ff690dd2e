"""What an exception that left a task makes of its attempt."""

from __future__ import annotations

import dataclasses
import errno
import inspect
import random

from pgqueue.errors import EffectBusy, HostExhausted, LeaseLost
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
    Signal,
    Snooze,
    Suspended,
    TimedOut,
    Waiting,
    error_report,
)
from pgqueue.worker.attempts.call import Call, Unstorable
from pgqueue.worker.attempts.groups import are_all, members_of, of_one_kind
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.attempts.task_spec import time_limits, times_of
from pgqueue.worker.attempts.tracebacks import report, signal_report, unspeakable, with_note
from pgqueue.worker.attempts.transaction import Conflict, NoConnection
from pgqueue.worker.attempts.units import BEHIND_OTHERS, Stopped

# A transactional job that gets no connection has not begun: its attempt is given back for so many seconds.
_NO_CONNECTION_DELAY = 5.0
# What the host has run out of: memory, disk, files; no fault of the job.
_HOST_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.ENODEV, errno.EIO}
)
_LEAST_PAUSE, _LONGEST_PAUSE = 1.0, 5.0
# After a deadlock or a serialization failure; doubled with each.
_FIRST_CONFLICT_PAUSE = 0.2
# So often a job is given back, for whatever reason: a job that itself uses up the memory of every host must end, too.
_MOST_GIVEN_BACK = 25


def outcome_of(call: Call, error: BaseException) -> Outcome:
    """What an exception that left the task makes of the attempt; one that cannot even be looked at is a failure."""
    try:
        if call.settled is not None:
            # Whatever a middleware raises after the commit, the job has succeeded.
            return call.settled
        own = call.raised
        if own is None or own is error or isinstance(of_one_kind(error), Signal | Suspended):
            return _explained(call, error)
        # The task's own error decides, and is what people look for.
        return with_note(_explained(call, own), "round the task this was raised, too", error)
    except BaseException as second:
        return Failed(unspeakable(error, second))


def _explained(call: Call, error: BaseException) -> Outcome:
    match of_one_kind(error):
        case LeaseLost() if call.context.late:
            return Late()
        case NoConnection() if isinstance(error.__cause__, HostExhausted):
            return Released(
                random.uniform(_LEAST_PAUSE, _LONGEST_PAUSE), error=report(error.__cause__), avoid=True, asked=True
            )
        case NoConnection():
            # It has not begun: one that may run at most once may still have its first run.
            return Released(_NO_CONNECTION_DELAY, error=report(error.__cause__ or error), asked=True)
        case Conflict():
            return _after_conflict(call, error.__cause__ or error)
        case Unstorable():
            return Failed(error_report("Unstorable", error), retryable=False)
        case _ if call.told is Notice.CANCELLED:
            found = report(error)
            how = ": ".join(filter(None, (found.type, found.message)))
            return Cancelled(f"cancelled while it ran, and ended by {how}")
        case Retry(delay=delay) as chosen:
            return Failed(signal_report(chosen), delay=delay, asked=True)
        case Snooze(delay=delay):
            return Released(delay, asked=True, why=f"snoozed for {delay:g} s")
        case Suspended(delay=delay) as chosen:
            return Waiting(delay, str(chosen))
        case Stopped() as chosen:
            return Released(BEHIND_OTHERS, asked=True, why=str(chosen))
        case Bury() as chosen:
            return Ended(Reason.BURIED, signal_report(chosen))
        case Cancel() as chosen:
            return Cancelled(report(chosen).message)
        case _ if call.told is Notice.TIMEOUT:
            return TimedOut(_out_of_time(call, report(error)))
        case EffectBusy() if not call.task.bounds.at_most_once:
            return _after_conflict(call, error)
        case TypeError() if (misfit := _misfit(call, error)) is not None:
            return Ended(Reason.UNBINDABLE, error_report("Unbindable", misfit))
        case _ if _is_of_the_host(call, error):
            return Released(random.uniform(_LEAST_PAUSE, _LONGEST_PAUSE), error=report(error), avoid=True)
        case _:
            return _judged(call, error)


def _judged(call: Call, error: BaseException) -> Outcome:
    """What the task says of its own error: when to run again, or not at all; and whether it is a part of the work."""
    bounds = call.task.bounds
    expected = bool(bounds.expected) and are_all(error, lambda each: isinstance(each, tuple(bounds.expected)))
    failed = Failed(report(error), retryable=_is_retried(call, error), expected=expected)
    if bounds.retry_in is None or call.is_together:
        return failed
    try:
        said = bounds.retry_in(call.claim.attempt, error)
        said = said() if isinstance(said, type) and issubclass(said, Bury | Cancel) else said
        match said:
            case None:
                return failed
            case Bury():
                return Ended(Reason.BURIED, failed.error, expected)
            case Cancel():
                return Cancelled(report(said).message or f"by {failed.error.type}: {failed.error.message}")
            case _:
                # As raise Retry(delay=...) takes it.
                return dataclasses.replace(failed, retryable=True, delay=Retry(delay=said).delay)
    except BaseException as second:  # The user's own: it must not cost the job another attempt's judgement.
        return with_note(failed, "its retry_in raised, too, and its policy was asked instead", second)


def _misfit(call: Call, error: BaseException) -> str | None:
    """How the arguments do not fit the task's parameters, if this error says so: its own code never began."""
    function = inspect.unwrap(call.task.function)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is function.__code__:
            return None
        trace = trace.tb_next
    return call.task.misfit(call.args, call.kwargs)


def _out_of_time(call: Call, found: ErrorReport) -> ErrorReport:
    said = time_limits(call.claim, times_of(call.task)).said
    message = f"it ran longer than its {said}, was told so, and ended by {found.type}: {found.message}"
    return ErrorReport(found.type, error_report("", message).message, found.traceback)


def _is_of_the_host(call: Call, error: BaseException) -> bool:
    """Whether the host failed, not the job; a job that says so too often is not believed."""
    if _given_back(call) > _MOST_GIVEN_BACK:
        return False
    kinds: tuple[type[BaseException], ...] = (MemoryError, *call.task.bounds.infra_errors)
    return are_all(
        error, lambda each: isinstance(each, kinds) or (isinstance(each, OSError) and each.errno in _HOST_ERRORS)
    )


def _is_retried(call: Call, error: BaseException) -> bool:
    retry = call.task.retry
    try:
        if isinstance(error, BaseExceptionGroup) and not _names_groups(retry.on):
            answers = {bool(retry.retries(each)) for each in members_of(error)}
            if len(answers) == 1:
                return answers.pop()
        return bool(retry.retries(error))
    except BaseException:
        # A policy of the user's own that is broken: the error itself is what must reach the history.
        return True


def _names_groups(kinds: object) -> bool:
    return isinstance(kinds, tuple) and any(issubclass(kind, BaseExceptionGroup) for kind in kinds)


def _after_conflict(call: Call, error: BaseException) -> Outcome:
    """Given back, and not so soon again with each time; one that meets a conflict too often is charged."""
    times = _given_back(call)
    if times > _MOST_GIVEN_BACK:
        return Failed(report(error), retryable=_is_retried(call, error))
    wait = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_CONFLICT_PAUSE * 2 ** min(times, 10)))
    return Released(wait, error=report(error), asked=True)


def _given_back(call: Call) -> int:
    # One that came to a yield has got on: what befalls it there has not befallen it before.
    return 0 if call.units else call.claim.claim - call.claim.attempt
