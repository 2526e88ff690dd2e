"""How an attempt ended, and judge(): what that makes of its job.

An executor reports an outcome; judge() turns it into a settlement, the values that one statement writes down.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

from pgqueue.job import DEFAULT_MAX_ATTEMPTS, MAX_CRASHES, Claim
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy, seconds

# Enough to understand any error; a message of 50 MB must not fill the history.
MESSAGE_LIMIT = 4_000
TRACEBACK_LIMIT = 20_000


class Reason(StrEnum):
    """Why a job is dead."""

    EXHAUSTED = "exhausted"  # its attempts are used up
    NOT_RETRIED = "not retried"  # its retry policy does not retry this error
    POISON = "poison"  # it ended its process MAX_CRASHES times in a row
    BURIED = "buried"  # the task asked for a human
    REFUSED = "refused"  # the worker is not willing to call its target
    UNREGISTERED = "unregistered"  # no worker knew its target, to the last attempt
    UNREADABLE = "unreadable"  # its arguments cannot be read
    EXPIRED = "expired"  # it was not started within its ttl


class Signal(Exception):
    """What a task raises to choose its own outcome; not an error, and not for the logs."""


class Retry(Signal):
    """Count this attempt as failed and run the job again after `delay` (None: as its retry policy says)."""

    def __init__(self, why: str = "the task asked for a retry", *, delay: float | timedelta | None = None) -> None:
        super().__init__(why)
        self.delay = None if delay is None else max(0.0, seconds(delay))


class Snooze(Signal):
    """Run the job again after `delay`, giving this attempt back."""

    def __init__(self, delay: float | timedelta) -> None:
        super().__init__(f"snoozed for {delay}")
        self.delay = max(0.0, seconds(delay))


class Bury(Signal):
    """Make the job dead at once, for a human to look at."""


class Cancel(Signal):
    """End the job as cancelled: it is no longer wanted."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An exception as texts that PostgreSQL can store: bounded, without NUL or lone surrogates."""

    type: str
    message: str
    traceback: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """The report of a caught exception; survives a `__str__` that raises."""
        try:
            message = str(error)
        except Exception as second:
            message = f"(its __str__ raised {type(second).__name__})"
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        lines = "".join(traceback.format_exception(error, limit=-50))
        return cls(_storable(name, 500), _storable(message, MESSAGE_LIMIT), _storable(lines, TRACEBACK_LIMIT))


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task returned. `result` is JSON if it is to be stored; `settled` if its own transaction said so already."""

    result: str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The task raised. `delay` overrules its retry policy, `retryable=False` ends the job."""

    error: ErrorReport
    retryable: bool = True
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The task ran longer than its timeout."""

    error: ErrorReport


@dataclass(frozen=True, slots=True)
class Crashed:
    """The process that ran the task ended under it."""

    error: ErrorReport


@dataclass(frozen=True, slots=True)
class Unregistered:
    """This worker does not know the target; another may."""

    error: ErrorReport


@dataclass(frozen=True, slots=True)
class Ended:
    """The job is to be dead at once, for `reason`."""

    reason: Reason
    error: ErrorReport


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The task said that its job is no longer wanted."""

    why: str


@dataclass(frozen=True, slots=True)
class Released:
    """The attempt is given back: never started, snoozed, or stopped with its worker."""

    delay: float = 0.0
    started: bool = True


@dataclass(frozen=True, slots=True)
class Late:
    """The attempt found out by itself that its lease is gone."""


Outcome = (
    Succeeded | Failed | TimedOut | Crashed | Unregistered | Ended | Cancelled | Released | Late
)  # what an executor may report


class Move(StrEnum):
    """What a settlement does to the job."""

    SUCCEED = "succeed"
    RETRY = "retry"
    END = "end"
    RELEASE = "release"
    LATE = "late"  # nothing, but the late attempt is recorded
    NOTHING = "nothing"  # written down already


class Settlement(NamedTuple):
    """The values that one settling statement writes for one attempt; (`worker`, `claim`) is the token it shows."""

    id: UUID
    claim: int
    move: Move
    outcome: str
    delay: float = 0.0
    reason: str | None = None
    error_type: str | None = None
    error: str | None = None
    traceback: str | None = None
    result: str | None = None
    started: bool = True


def judge(
    claim: Claim, outcome: Outcome, policy: RetryPolicy = DEFAULT_RETRY, task_max_attempts: int | None = None
) -> Settlement:
    """What an outcome makes of a job: pure, so that worker, child and tests agree."""
    limit = claim.max_attempts or task_max_attempts or DEFAULT_MAX_ATTEMPTS
    match outcome:
        case Succeeded(result, settled):
            move = Move.NOTHING if settled else Move.SUCCEED
            return Settlement(claim.id, claim.claim, move, "succeeded", result=result)
        case Released(delay, started):
            return Settlement(claim.id, claim.claim, Move.RELEASE, "released", delay=delay, started=started)
        case Cancelled(why):
            return Settlement(claim.id, claim.claim, Move.END, "cancelled", error=_storable(why, MESSAGE_LIMIT))
        case Ended(reason, error):
            return _end(claim, "failed", reason, error)
        case Failed(error, retryable, _) if not retryable:
            return _end(claim, "failed", Reason.NOT_RETRIED, error)
        case Failed(error, _, delay):
            wait = policy.delay(claim.attempt) if delay is None else delay
            return _again(claim, "failed", error, wait, limit, Reason.EXHAUSTED)
        case TimedOut(error):
            return _again(claim, "timeout", error, policy.delay(claim.attempt), limit, Reason.EXHAUSTED)
        case Unregistered(error):
            return _again(claim, "failed", error, policy.delay(claim.attempt), limit, Reason.UNREGISTERED)
        case Crashed(error) if claim.crashes + 1 >= MAX_CRASHES:
            return _end(claim, "crashed", Reason.POISON, error)
        case Crashed(error):
            return _again(claim, "crashed", error, policy.delay(claim.attempt), limit, Reason.EXHAUSTED)
        case Late():
            return Settlement(claim.id, claim.claim, Move.LATE, "late")


def _again(claim: Claim, outcome: str, error: ErrorReport, delay: float, limit: int, reason: Reason) -> Settlement:
    if claim.attempt >= limit:
        return _end(claim, outcome, reason, error)
    return Settlement(
        claim.id, claim.claim, Move.RETRY, outcome, delay, None, error.type, error.message, error.traceback
    )


def _end(claim: Claim, outcome: str, reason: Reason, error: ErrorReport) -> Settlement:
    return Settlement(claim.id, claim.claim, Move.END, outcome, 0.0, reason, error.type, error.message, error.traceback)


def _storable(text: str, limit: int) -> str:
    """Bounded text that PostgreSQL accepts; of a long one the beginning and the end remain."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n... {len(text) - 2 * half:,} characters left out ...\n{text[-half:]}"
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def error_report(kind: str, message: Any) -> ErrorReport:
    """A report of something that is no exception here: a vanished process, a target that is refused."""
    return ErrorReport(kind, _storable(str(message), MESSAGE_LIMIT))
