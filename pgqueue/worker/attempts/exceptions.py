"""What an exception that left a task makes of its attempt."""

from __future__ import annotations

import errno
import random

from pgqueue.errors import LeaseLost
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
    Snooze,
    TimedOut,
    error_report,
)
from pgqueue.worker.attempts.call import Call, NoConnection, Unstorable
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.attempts.task_spec import spec_of, time_limits
from pgqueue.worker.attempts.tracebacks import report, signal_report, unspeakable

# A transactional job that gets no connection has not begun: its attempt is given back for so many seconds.
_NO_CONNECTION_DELAY = 5.0
# What the host has run out of: memory, disk, files; no fault of the job.
_HOST_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.ENODEV, errno.EIO}
)
_LEAST_PAUSE, _LONGEST_PAUSE = 1.0, 5.0
# So often a job is given back, for whatever reason: a job that itself uses up the memory of every host must end, too.
_MOST_GIVEN_BACK = 25


def outcome_of(call: Call, error: BaseException) -> Outcome:
    """What an exception that left the task makes of the attempt; one that cannot even be looked at is a failure."""
    try:
        return _explained(call, error)
    except BaseException as second:
        return Failed(unspeakable(error, second))


def _explained(call: Call, error: BaseException) -> Outcome:
    match error:
        case LeaseLost() if call.context.late:
            return Late()
        case NoConnection():
            # It has not begun: one that may run at most once may still have its first run.
            return Released(_NO_CONNECTION_DELAY, error=report(error.__cause__ or error), asked=True)
        case Unstorable():
            return Failed(error_report("Unstorable", error), retryable=False)
        case _ if call.told is Notice.CANCELLED:
            found = report(error)
            return Cancelled(f"cancelled while it ran, and ended by {found.type}: {found.message}")
        case Retry(delay=delay):
            return Failed(signal_report(error), delay=delay, asked=True)
        case Snooze(delay=delay):
            return Released(delay, asked=True)
        case Bury():
            return Ended(Reason.BURIED, signal_report(error))
        case Cancel():
            return Cancelled(report(error).message)
        case _ if call.told is Notice.TIMEOUT:
            return TimedOut(_out_of_time(call, report(error)))
        case _ if _is_of_the_host(call, error):
            return Released(random.uniform(_LEAST_PAUSE, _LONGEST_PAUSE), error=report(error), avoid=True)
        case _:
            return Failed(report(error), retryable=_is_retried(call, error))


def _out_of_time(call: Call, found: ErrorReport) -> ErrorReport:
    said = time_limits(call.claim, spec_of(call.task)).said
    message = f"it ran longer than its {said}, was told so, and ended by {found.type}: {found.message}"
    return ErrorReport(found.type, error_report("", message).message, found.traceback)


def _is_of_the_host(call: Call, error: BaseException) -> bool:
    """Whether the host failed, not the job; a job that says so too often is not believed."""
    if call.claim.claim - call.claim.attempt > _MOST_GIVEN_BACK:
        return False
    if isinstance(error, OSError) and error.errno in _HOST_ERRORS:
        return True
    return isinstance(error, (MemoryError, *call.task.bounds.infra_errors))


def _is_retried(call: Call, error: BaseException) -> bool:
    try:
        return bool(call.task.retry.retries(error))
    except BaseException:
        # A policy of the user's own that is broken: the error itself is what must reach the history.
        return True
