"""What an outcome makes of its job: judge() turns it into a settlement, on the terms of the job's task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pgqueue.brings import Brings
from pgqueue.cause import cause_of
from pgqueue.description import MESSAGE_LIMIT, storable
from pgqueue.job import MAX_CRASHES, Claim
from pgqueue.outcome import (
    Cancelled,
    Crashed,
    Ended,
    ErrorReport,
    Expired,
    Failed,
    Late,
    Move,
    Outcome,
    Reason,
    Released,
    Settlement,
    Succeeded,
    TimedOut,
    Unregistered,
    Waiting,
    error_report,
)
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy


class Fallback(NamedTuple):
    """What follows a task's attempts that ended in one of `outcomes`: another target, or HUMAN.

    After so many of them; None: when the job would be dead.
    """

    to: str
    after: int | None
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a task says about the ends of its attempts; the defaults are those of a task that nobody knows.

    `on_timeout` and `on_expiry` say what becomes of the job; `at_most_once` forbids a second attempt that the task did
    not ask for itself. `fallback` is what goes on with the job where it cannot.
    """

    retry: RetryPolicy = DEFAULT_RETRY
    max_attempts: int | None = None
    on_timeout: Literal["retry", "bury", "cancel"] = "retry"
    on_expiry: Literal["bury", "cancel"] = "bury"
    at_most_once: bool = False
    fallback: Fallback | None = None


UNKNOWN = Terms()
# Behind the type of an error, where its cause is computed.
EXPECTED = " (expected)"
# What a job is dead of because its code could not do it; what a task, a worker or its ttl decided is no matter of code.
_OF_CODE = frozenset({Reason.EXHAUSTED, Reason.NOT_RETRIED, Reason.POISON, Reason.TIMEOUT, Reason.LOST})


def if_lost(tasks: Iterable[tuple[str, Terms]]) -> dict[str, Fallback]:
    """What follows where an attempt is lost with its worker, by target; of tasks that say so."""
    said = ((target, terms.fallback) for target, terms in tasks)
    return {target: each for target, each in said if each is not None and "lost" in each.outcomes}


def judge(claim: Claim, outcome: Outcome, terms: Terms = UNKNOWN) -> Settlement:
    """What an outcome makes of a job: pure, so that worker, child and tests agree."""
    settlement = _judged(claim, outcome, terms)
    if terms.fallback is None or not _falls_back(claim, settlement, terms.fallback):
        return settlement
    return settlement._replace(move=Move.FALL_BACK, delay=0.0, fallback=terms.fallback.to)


def _falls_back(claim: Claim, settlement: Settlement, fallback: Fallback) -> bool:
    """Whether the code of a job has failed often enough, or will not be tried again; not what somebody decided."""
    if settlement.outcome not in fallback.outcomes:
        return False
    if settlement.move is Move.END:
        return settlement.reason in _OF_CODE
    return settlement.move is Move.RETRY and fallback.after is not None and claim.attempt >= fallback.after


def _judged(claim: Claim, outcome: Outcome, terms: Terms) -> Settlement:
    match outcome:
        case Succeeded(result, False, Brings() as brings):
            return Settlement(claim.id, claim.claim, Move.BRING, "succeeded", result=result, brings=brings.text())
        case Succeeded(result, settled):
            move = Move.NOTHING if settled else Move.SUCCEED
            return Settlement(claim.id, claim.claim, move, "succeeded", result=result)
        case Late():
            # What a failure would make of the job goes along: its lease may stand after all.
            failed = judge(claim, Failed(error_report("", "")), terms)
            return Settlement(
                claim.id, claim.claim, Move.LATE, "late", failed.delay, failed.reason, fallback=failed.fallback
            )
        case Cancelled(why):
            return Settlement(claim.id, claim.claim, Move.END, "cancelled", error=storable(why, MESSAGE_LIMIT))
        case Waiting(delay, why):
            return Settlement(claim.id, claim.claim, Move.WAIT, "released", delay, error=storable(why, MESSAGE_LIMIT))
        case Ended(reason, error, expected):
            return _end(claim, "failed", reason, error, expected=expected)
        case Expired():
            return _expire(claim, terms)
        case TimedOut(error) if terms.on_timeout == "bury":
            return _end(claim, "timeout", Reason.TIMEOUT, error)
        case TimedOut(error) if terms.on_timeout == "cancel":
            return _cancel(claim, error)
        case Unregistered(error):
            return Settlement(
                claim.id, claim.claim, Move.PARK, "released", error_type=error.type, error=error.message, started=False
            )
        case _ if terms.at_most_once and _began_and_is_not_wanted_again(outcome):
            return _once(claim, outcome)
        case Released():
            return _release(claim, outcome)
        case Failed(error, retryable, expected=expected) if not retryable:
            return _end(claim, "failed", Reason.NOT_RETRIED, error, expected=expected)
        case Failed(error, _, delay, expected=expected):
            return _again(claim, "failed", error, terms, delay, expected=expected)
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
        case Failed(error, expected=expected):
            return _end(claim, "failed", Reason.NOT_RETRIED, error, expected=expected)
        case Released(error=ErrorReport() as error):
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
        return back._replace(error=given.why or None)
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
    *,
    expected: bool = False,
) -> Settlement:
    if claim.attempt >= claim.most_attempts(terms.max_attempts):
        return _end(claim, outcome, Reason.EXHAUSTED, error, expected=expected)
    wait = terms.retry.delay(claim.attempt) if delay is None else delay
    return _failed(
        claim,
        Settlement(claim.id, claim.claim, Move.RETRY, outcome, wait, None, error.type, error.message, error.traceback),
        expected,
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


def _end(claim: Claim, outcome: str, reason: Reason, error: ErrorReport, *, expected: bool = False) -> Settlement:
    return _failed(
        claim,
        Settlement(claim.id, claim.claim, Move.END, outcome, 0.0, reason, error.type, error.message, error.traceback),
        expected,
    )


def _failed(claim: Claim, settlement: Settlement, expected: bool) -> Settlement:
    """The settlement with the cause of the failure: another one if it was expected, which alarms nobody."""
    kind = f"{settlement.error_type}{EXPECTED if expected else ''}"
    cause = cause_of(claim.target, kind, settlement.error, settlement.traceback)
    return settlement._replace(cause=cause, expected=expected)
