"""How an attempt ended: what its task raised or its executor saw, and the settlement that is written down for it.

An executor reports an outcome; judge.py turns it into a settlement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

from pgqueue.brings import Brings
from pgqueue.description import MESSAGE_LIMIT, Clean, message_of, storable, traceback_of, type_name
from pgqueue.errors import OptionError
from pgqueue.options import LONGEST_SECONDS, check_duration
from pgqueue.retry import seconds
from pgqueue.vocabulary import advised

LONGEST_DELAY = LONGEST_SECONDS
# What a job falls back to in place of other code.
HUMAN = "human"


class Reason(StrEnum):
    """Why a job is dead."""

    EXHAUSTED = "exhausted"  # its attempts are used up
    NOT_RETRIED = "not retried"  # its retry policy does not retry this error
    POISON = "poison"  # it ended its process MAX_CRASHES times in a row
    BURIED = "buried"  # the task asked for a human
    REFUSED = "refused"  # the worker is not willing to call its target
    UNTRUSTED = "untrusted"  # nobody with a key has signed it, and its worker requires that
    UNREGISTERED = "unregistered"  # no live worker knew its target for as long as it may wait
    UNBINDABLE = "unbindable"  # its arguments do not fit the task's parameters
    UNREADABLE = "unreadable"  # its arguments cannot be read
    EXPIRED = "expired"  # it was not started within its ttl
    TIMEOUT = "timeout"  # it ran longer than its timeout, and its task wants no second attempt then
    UNWRITABLE = "unwritable"  # the database refused its row, or its outcome, for long
    LOST = "lost"  # it may run at most once, and nobody knows how far its attempt came
    GIVEN_UP = "given up"  # it waited for a human, who could not do it either


class Signal(Exception):
    """What a task raises to choose its own outcome; not an error, and not for the logs."""


@advised
class Retry(Signal):
    """Count this attempt as failed and run the job again after `delay` (None: as its retry policy says)."""

    def __init__(self, why: str = "the task asked for a retry", *, delay: float | timedelta | None = None) -> None:
        if not isinstance(why, str):
            raise OptionError(f"Retry says why, in words, got {why!r:.80}; say Retry(delay={why!r:.80})")
        super().__init__(why)
        self.delay = None if delay is None else _from_now(delay)


@advised
class Snooze(Signal):
    """Run the job again after `delay`, giving this attempt back."""

    def __init__(self, delay: float | timedelta) -> None:
        super().__init__(f"snoozed for {delay}")
        self.delay = _from_now(delay)


class Bury(Signal):
    """Make the job dead at once, for a human to look at."""


class Cancel(Signal):
    """End the job as cancelled: it is no longer wanted."""


class Suspended(BaseException):
    """What a durable function is put to sleep by, for `delay` seconds at most; let it through, as any of its kind.

    No Exception, so that `except Exception` does not keep the function awake.
    """

    def __init__(self, why: str, delay: float) -> None:
        super().__init__(why)
        self.delay = delay


def _from_now(delay: float | timedelta) -> float:
    """A delay that a task asks for, seconds; what lies in the past is now. Raises OptionError."""
    if delay is None:
        raise OptionError("delay must be seconds or a timedelta, got None")
    if delay < timedelta() if isinstance(delay, timedelta) else isinstance(delay, int | float) and delay < 0:
        return 0.0
    check_duration("delay", delay, zero=True, infinite=False)
    return seconds(delay)


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An exception as texts that PostgreSQL can store: bounded, without NUL or lone surrogates."""

    type: str
    message: str
    traceback: str | None = None

    @classmethod
    def of(cls, error: BaseException, clean: Clean = str) -> Self:
        """The report of a caught exception; survives whatever that does. `clean` sees its texts before they are cut."""
        return cls(type_name(error), message_of(error, clean), traceback_of(error, clean))


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task returned. `result` is JSON if it is to be stored; `settled` if its own transaction said so already.

    `brings` is what is to be written with the success, if anything.
    """

    result: str | None = None
    settled: bool = False
    brings: Brings | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The task raised. `delay` overrules its retry policy, `retryable=False` ends the job.

    `asked` is whether the task itself asked for another attempt, `expected` whether the task calls this error a part
    of the work.
    """

    error: ErrorReport
    retryable: bool = True
    delay: float | None = None
    asked: bool = False
    expected: bool = False


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
    """The job is to be dead at once, for `reason`; `expected` as of Failed."""

    reason: Reason
    error: ErrorReport
    expected: bool = False


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
    itself wants another attempt. `why` is for people, where there is no error.
    """

    delay: float = 0.0
    started: bool = True
    error: ErrorReport | None = None
    avoid: bool = False
    asked: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A durable function sleeps, or waits for what the database knows; at most for `delay` seconds."""

    delay: float
    why: str


@dataclass(frozen=True, slots=True)
class Late:
    """The attempt found out by itself that its lease is gone."""


Outcome = (
    Succeeded | Failed | TimedOut | Crashed | Unregistered | Ended | Cancelled | Expired | Released | Waiting | Late
)  # what an executor may report


class Move(StrEnum):
    """What a settlement does to the job."""

    SUCCEED = "succeed"
    BRING = "bring"  # succeed, in a transaction of its own, with what the success brings along
    RETRY = "retry"
    END = "end"
    FALL_BACK = "fall back"  # given to other code, or to a human
    RELEASE = "release"
    WAIT = "wait"  # given back by a durable function, until what it waits for comes
    PARK = "park"  # given back, for a worker that knows its target
    LATE = "late"  # nothing, but the late attempt is recorded
    NOTHING = "nothing"  # written down already


class Settlement(NamedTuple):
    """The values that one settling statement writes for one attempt; (`worker`, `claim`) is the token it shows.

    `brings` is of Move.BRING alone: what is written with the success, as JSON.
    `fallback` is what follows instead of another attempt at the same code: a target, or `human`.
    """

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
    headers: str | None = None
    cause: str | None = None
    expected: bool = False
    brings: str | None = None
    fallback: str | None = None


def error_report(kind: str, message: Any) -> ErrorReport:
    """A report of something that is no exception here: a vanished process, a target that is refused."""
    return ErrorReport(kind, storable(str(message), MESSAGE_LIMIT))
