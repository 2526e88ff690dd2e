"""How an attempt ended, and judge(): what that makes of its job.

An executor reports an outcome; judge() turns it into a settlement, the values that one statement writes down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

from pgqueue.description import MESSAGE_LIMIT, message_of, storable, traceback_of, type_name
from pgqueue.job import DEFAULT_MAX_ATTEMPTS, MAX_CRASHES, Claim
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy, seconds

# A century, in seconds: what PostgreSQL's clock can still add.
LONGEST_DELAY = 3.2e9


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
    TIMEOUT = "timeout"  # it ran longer than its timeout, and its task wants no second attempt then
    LOST = "lost"  # it may run at most once, and nobody knows how far its attempt came


class Signal(Exception):
    """What a task raises to choose its own outcome; not an error, and not for the logs."""


class Retry(Signal):
    """Count this attempt as failed and run the job again after `delay` (None: as its retry policy says)."""

    def __init__(self, why: str = "the task asked for a retry", *, delay: float | timedelta | None = None) -> None:
        super().__init__(why)
        self.delay = None if delay is None else _from_now(delay)


class Snooze(Signal):
    """Run the job again after `delay`, giving this attempt back."""

    def __init__(self, delay: float | timedelta) -> None:
        super().__init__(f"snoozed for {delay}")
        self.delay = _from_now(delay)


class Bury(Signal):
    """Make the job dead at once, for a human to look at."""


class Cancel(Signal):
    """End the job as cancelled: it is no longer wanted."""


def _from_now(delay: float | timedelta) -> float:
    """A delay that a task asks for, seconds; what lies in the past is now."""
    if not (wait := seconds(delay)) <= LONGEST_DELAY:
        raise ValueError(f"a delay must be at most {LONGEST_DELAY:.0f} seconds, got {wait!r}")
    return max(0.0, wait)


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An exception as texts that PostgreSQL can store: bounded, without NUL or lone surrogates."""

    type: str
    message: str
    traceback: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """The report of a caught exception; survives whatever that does."""
        return cls(type_name(error), message_of(error), traceback_of(error))


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task returned. `result` is JSON if it is to be stored; `settled` if its own transaction said so already."""

    result: str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The task raised. `delay` overrules its retry policy, `retryable=False` ends the job.

    `asked` is whether the task itself asked for another attempt.
    """

    error: ErrorReport
    retryable: bool = True
    delay: float | None = None
    asked: bool = False


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
    """The job is no longer wanted: the task said so, or it was told so while it ran."""

    why: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The job was not started within its ttl."""


@dataclass(frozen=True, slots=True)
class Released:
    """The attempt is given back: never started, snoozed, stopped with its worker, or failed by its host.

    `error` is what its host did to it, `avoid` keeps the job from that host for a while. `asked` is whether the task
    itself wants another attempt.
    """

    delay: float = 0.0
    started: bool = True
    error: ErrorReport | None = None
    avoid: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Late:
    """The attempt found out by itself that its lease is gone."""


Outcome = (
    Succeeded | Failed | TimedOut | Crashed | Unregistered | Ended | Cancelled | Expired | Released | Late
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
    avoid: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a task says about the ends of its attempts; the defaults are those of a task that nobody knows.

    `on_timeout` and `on_expiry` say what becomes of the job; `at_most_once` forbids a second attempt that the task did
    not ask for itself.
    """

    retry: RetryPolicy = DEFAULT_RETRY
    max_attempts: int | None = None
    on_timeout: Literal["retry", "bury", "cancel"] = "retry"
    on_expiry: Literal["bury", "cancel"] = "bury"
    at_most_once: bool = False


UNKNOWN = Terms()


def judge(claim: Claim, outcome: Outcome, terms: Terms = UNKNOWN) -> Settlement:
    """What an outcome makes of a job: pure, so that worker, child and tests agree."""
    match outcome:
        case Succeeded(result, settled):
            move = Move.NOTHING if settled else Move.SUCCEED
            return Settlement(claim.id, claim.claim, move, "succeeded", result=result)
        case Late():
            # What a failure would make of the job goes along: its lease may stand after all.
            failed = judge(claim, Failed(error_report("", "")), terms)
            return Settlement(claim.id, claim.claim, Move.LATE, "late", failed.delay, failed.reason)
        case Cancelled(why):
            return Settlement(claim.id, claim.claim, Move.END, "cancelled", error=storable(why, MESSAGE_LIMIT))
        case Ended(reason, error):
            return _end(claim, "failed", reason, error)
        case Expired():
            return _expire(claim, terms)
        case TimedOut(error) if terms.on_timeout == "bury":
            return _end(claim, "timeout", Reason.TIMEOUT, error)
        case TimedOut(error) if terms.on_timeout == "cancel":
            return _cancel(claim, error)
        case Unregistered(error):
            return _again(claim, "failed", error, terms, reason=Reason.UNREGISTERED)
        case _ if terms.at_most_once and _began_and_is_not_wanted_again(outcome):
            return _once(claim, outcome)
        case Released():
            return _release(claim, outcome)
        case Failed(error, retryable) if not retryable:
            return _end(claim, "failed", Reason.NOT_RETRIED, error)
        case Failed(error, _, delay):
            return _again(claim, "failed", error, terms, delay)
        case TimedOut(error):
            return _again(claim, "timeout", error, terms)
        case Crashed(error) if claim.crashes + 1 >= MAX_CRASHES:
            return _end(claim, "crashed", Reason.POISON, error)
        case Crashed(error):
            return _again(claim, "crashed", error, terms)


def _began_and_is_not_wanted_again(outcome: Failed | TimedOut | Crashed | Released) -> bool:
    match outcome:
        case Failed(asked=asked):
            return not asked
        case Released(started=started, asked=asked):
            return started and not asked
        case _:
            return True


def _once(claim: Claim, outcome: Failed | TimedOut | Crashed | Released) -> Settlement:
    """The end of a job that may run at most once: for a human, who alone can tell how far it came."""
    match outcome:
        case Failed(error) | Released(error=ErrorReport() as error):
            return _end(claim, "failed", Reason.NOT_RETRIED, error)
        case TimedOut(error):
            return _end(claim, "timeout", Reason.LOST, error)
        case Crashed(error):
            return _end(claim, "crashed", Reason.LOST, error)
        case Released():
            stopped = error_report("pgqueue.Stopped", "its worker stopped while it ran, and it may run at most once")
            return _end(claim, "crashed", Reason.LOST, stopped)


def _release(claim: Claim, given: Released) -> Settlement:
    back = Settlement(
        claim.id, claim.claim, Move.RELEASE, "released", given.delay, started=given.started, avoid=given.avoid
    )
    if given.error is None:
        return back
    return back._replace(error_type=given.error.type, error=given.error.message, traceback=given.error.traceback)


def _expire(claim: Claim, terms: Terms) -> Settlement:
    report = error_report("pgqueue.Expired", "it was not started within its ttl")
    if terms.on_expiry == "cancel":
        return _cancel(claim, report)._replace(reason=Reason.EXPIRED, started=False)
    return _end(claim, "expired", Reason.EXPIRED, report)._replace(started=False)


def _again(
    claim: Claim,
    outcome: str,
    error: ErrorReport,
    terms: Terms,
    delay: float | None = None,
    reason: Reason = Reason.EXHAUSTED,
) -> Settlement:
    if claim.attempt >= (claim.max_attempts or terms.max_attempts or DEFAULT_MAX_ATTEMPTS):
        return _end(claim, outcome, reason, error)
    wait = terms.retry.delay(claim.attempt) if delay is None else delay
    return Settlement(
        claim.id, claim.claim, Move.RETRY, outcome, wait, None, error.type, error.message, error.traceback
    )


def _cancel(claim: Claim, error: ErrorReport) -> Settlement:
    return Settlement(
        claim.id,
        claim.claim,
        Move.END,
        "cancelled",
        error_type=error.type,
        error=error.message,
        traceback=error.traceback,
    )


def _end(claim: Claim, outcome: str, reason: Reason, error: ErrorReport) -> Settlement:
    return Settlement(claim.id, claim.claim, Move.END, outcome, 0.0, reason, error.type, error.message, error.traceback)


def error_report(kind: str, message: Any) -> ErrorReport:
    """A report of something that is no exception here: a vanished process, a target that is refused."""
    return ErrorReport(kind, storable(str(message), MESSAGE_LIMIT))
