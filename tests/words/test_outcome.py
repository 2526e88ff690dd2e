"""judge(): what an outcome makes of a job."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from pgqueue.description import MESSAGE_LIMIT, TRACEBACK_LIMIT
from pgqueue.ids import new_job_id
from pgqueue.job import Claim
from pgqueue.judge import Terms, judge
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
    Retry,
    Snooze,
    Succeeded,
    TimedOut,
    Unregistered,
    error_report,
)
from pgqueue.retry import Fixed

ERROR = error_report("ValueError", "out of paper")
POLICY = Fixed(7, jitter=0)
TERMS = Terms(POLICY)
ONCE = Terms(POLICY, at_most_once=True)


def claimed(attempt: int = 1, max_attempts: int | None = None, crashes: int = 0) -> Claim:
    now = datetime.now(UTC)
    return Claim(
        new_job_id(), 4, attempt, crashes, max_attempts, None, False, 5, "default", "a:b", "[]", None, now, worker=1
    )


def test_every_settlement_shows_the_token_of_its_claim() -> None:
    claim = claimed()
    settlement = judge(claim, Succeeded())
    assert (settlement.id, settlement.claim) == (claim.id, 4)


@pytest.mark.parametrize(
    ("outcome", "move", "name", "reason"),
    [
        (Succeeded('"r"'), Move.SUCCEED, "succeeded", None),
        (Succeeded(settled=True), Move.NOTHING, "succeeded", None),
        (Failed(ERROR), Move.RETRY, "failed", None),
        (Failed(ERROR, retryable=False), Move.END, "failed", Reason.NOT_RETRIED),
        (TimedOut(ERROR), Move.RETRY, "timeout", None),
        (Crashed(ERROR), Move.RETRY, "crashed", None),
        (Unregistered(ERROR), Move.PARK, "released", None),
        (Ended(Reason.BURIED, ERROR), Move.END, "failed", Reason.BURIED),
        (Cancelled("no longer"), Move.END, "cancelled", None),
        (Expired(), Move.END, "expired", Reason.EXPIRED),
        (Released(5.0), Move.RELEASE, "released", None),
        (Late(), Move.LATE, "late", None),
    ],
)
def test_an_outcome_moves_its_job(outcome: Outcome, move: Move, name: str, reason: Reason | None) -> None:
    settlement = judge(claimed(), outcome, TERMS)
    assert (settlement.move, settlement.outcome, settlement.reason) == (move, name, reason)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Failed(ERROR), Reason.EXHAUSTED),
        (TimedOut(ERROR), Reason.EXHAUSTED),
        (Crashed(ERROR), Reason.EXHAUSTED),
    ],
)
def test_the_last_attempt_ends_the_job(outcome: Outcome, reason: Reason) -> None:
    assert judge(claimed(attempt=3, max_attempts=3), outcome, TERMS).reason is reason
    assert judge(claimed(attempt=2, max_attempts=3), outcome, TERMS).move is Move.RETRY


def test_the_job_overrules_its_task_and_the_task_the_default() -> None:
    assert judge(claimed(attempt=2, max_attempts=5), Failed(ERROR), Terms(POLICY, 2)).move is Move.RETRY
    assert judge(claimed(attempt=2), Failed(ERROR), Terms(POLICY, 2)).move is Move.END
    assert judge(claimed(attempt=25), Failed(ERROR), TERMS).move is Move.RETRY
    assert judge(claimed(attempt=26), Failed(ERROR), TERMS).move is Move.END


def test_a_delay_of_the_tasks_own_overrules_its_policy() -> None:
    assert judge(claimed(), Failed(ERROR), TERMS).delay == 7
    assert judge(claimed(), Failed(ERROR, delay=90.0), TERMS).delay == 90
    assert judge(claimed(), Failed(ERROR, delay=0.0), TERMS).delay == 0


def test_the_third_crash_in_a_row_is_poison_whatever_is_left() -> None:
    assert judge(claimed(attempt=2, crashes=1), Crashed(ERROR)).move is Move.RETRY
    assert judge(claimed(attempt=3, crashes=2), Crashed(ERROR)).reason is Reason.POISON
    assert judge(claimed(attempt=3, crashes=2), Failed(ERROR)).move is Move.RETRY


@pytest.mark.parametrize(
    ("terms", "name", "reason"),
    [
        (Terms(on_timeout="bury"), "timeout", Reason.TIMEOUT),
        (Terms(on_timeout="cancel"), "cancelled", None),
        (Terms(on_timeout="retry", at_most_once=True), "timeout", Reason.LOST),
        (Terms(on_timeout="bury", at_most_once=True), "timeout", Reason.TIMEOUT),
        (Terms(on_timeout="cancel", at_most_once=True), "cancelled", None),
    ],
)
def test_the_task_says_what_becomes_of_a_job_that_ran_too_long(terms: Terms, name: str, reason: Reason | None) -> None:
    settlement = judge(claimed(), TimedOut(ERROR), terms)
    assert (settlement.move, settlement.outcome, settlement.reason) == (Move.END, name, reason)
    assert settlement.error == ERROR.message


@pytest.mark.parametrize(
    ("outcome", "name", "reason"),
    [
        (Failed(ERROR), "failed", Reason.NOT_RETRIED),
        (TimedOut(ERROR), "timeout", Reason.LOST),
        (Crashed(ERROR), "crashed", Reason.LOST),
        (Released(started=True), "crashed", Reason.LOST),
        (Released(error=ERROR, avoid=True), "failed", Reason.NOT_RETRIED),
    ],
)
def test_what_may_run_at_most_once_and_began_is_never_run_again_by_itself(
    outcome: Outcome, name: str, reason: Reason
) -> None:
    settlement = judge(claimed(), outcome, ONCE)
    assert (settlement.move, settlement.outcome, settlement.reason) == (Move.END, name, reason)


@pytest.mark.parametrize("outcome", [Failed(ERROR, delay=5.0, asked=True), Failed(ERROR, asked=True)])
def test_what_may_run_at_most_once_runs_again_if_it_asks_for_it_itself(outcome: Outcome) -> None:
    assert judge(claimed(), outcome, ONCE).move is Move.RETRY
    assert judge(claimed(), Released(5.0, asked=True), ONCE).move is Move.RELEASE


def test_what_may_run_at_most_once_and_never_began_is_no_attempt() -> None:
    assert judge(claimed(), Released(started=False), ONCE).move is Move.RELEASE
    assert judge(claimed(), Unregistered(ERROR), ONCE).move is Move.PARK


def test_an_attempt_that_its_host_failed_is_given_back_with_the_error() -> None:
    settlement = judge(claimed(attempt=26), Released(3.0, error=ERROR, avoid=True))
    assert (settlement.move, settlement.delay, settlement.started, settlement.avoid) == (Move.RELEASE, 3.0, True, True)
    assert (settlement.error_type, settlement.error) == ("ValueError", "out of paper")


def test_a_job_past_its_ttl_is_cancelled_if_its_task_says_so() -> None:
    settlement = judge(claimed(), Expired(), Terms(on_expiry="cancel"))
    assert (settlement.move, settlement.outcome, settlement.started) == (Move.END, "cancelled", False)


def test_a_report_of_an_error_can_be_stored() -> None:
    try:
        raise ValueError("a\x00b \ud800 " + "x" * 10_000)
    except ValueError as error:
        report = ErrorReport.of(error)
    for text, limit in ((report.message, MESSAGE_LIMIT), (report.traceback or "", TRACEBACK_LIMIT)):
        assert "\x00" not in text
        assert len(text.encode()) <= limit + 200
        assert text.startswith(("a\\x00b", "Traceback"))
    assert report.message.endswith("xxx")
    assert "characters left out" in report.message


def test_a_report_names_the_type_as_one_would_import_it() -> None:
    assert ErrorReport.of(KeyError("k")).type == "KeyError"
    assert ErrorReport.of(Retry()).type == "pgqueue.outcome.Retry"


def test_a_negative_delay_is_at_once() -> None:
    assert Snooze(-5).delay == 0
    assert Retry(delay=-1).delay == 0
    assert Retry().delay is None
    assert not math.isnan(Snooze(1).delay)
