"""Fallbacks in judge(): when other code follows, and what it does not follow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pgqueue.ids import new_job_id
from pgqueue.job import Claim
from pgqueue.judge import Fallback, Terms, if_lost, judge
from pgqueue.outcome import (
    HUMAN,
    Cancelled,
    Crashed,
    Ended,
    Expired,
    Failed,
    Late,
    Move,
    Outcome,
    Reason,
    Released,
    Succeeded,
    TimedOut,
    Unregistered,
    error_report,
)
from pgqueue.retry import Fixed

ERROR = error_report("ValueError", "out of paper")
USUAL = ("failed", "timeout", "crashed")
NAIVE = Fallback("shop:naive", 2, USUAL)


def claimed(attempt: int = 1, max_attempts: int | None = None, crashes: int = 0) -> Claim:
    now = datetime.now(UTC)
    return Claim(
        new_job_id(), 4, attempt, crashes, max_attempts, None, False, 5, "default", "shop:send", "[]", None, now, 1
    )


def terms(fallback: Fallback = NAIVE, **said: object) -> Terms:
    return Terms(Fixed(7, jitter=0), fallback=fallback, **said)  # type: ignore[arg-type]  # as the test says


@pytest.mark.parametrize(
    ("outcome", "name"), [(Failed(ERROR), "failed"), (TimedOut(ERROR), "timeout"), (Crashed(ERROR), "crashed")]
)
def test_other_code_follows_after_so_many_attempts_at_once(outcome: Outcome, name: str) -> None:
    first, second = (judge(claimed(attempt), outcome, terms()) for attempt in (1, 2))
    assert (first.move, first.fallback, first.delay) == (Move.RETRY, None, 7)
    assert (second.move, second.fallback, second.outcome, second.delay) == (Move.FALL_BACK, "shop:naive", name, 0.0)


@pytest.mark.parametrize("outcome", [Failed(ERROR), TimedOut(ERROR), Crashed(ERROR)])
def test_an_outcome_that_is_not_meant_is_tried_again_as_ever(outcome: Outcome) -> None:
    said = tuple(each for each in USUAL if each != judge(claimed(), outcome).outcome)
    settlement = judge(claimed(9), outcome, terms(NAIVE._replace(outcomes=said)))
    assert (settlement.move, settlement.fallback) == (Move.RETRY, None)


@pytest.mark.parametrize(
    ("claim", "outcome", "said", "reason"),
    [
        (claimed(3, max_attempts=3), Failed(ERROR), {}, Reason.EXHAUSTED),
        (claimed(), Failed(ERROR, retryable=False), {}, Reason.NOT_RETRIED),
        (claimed(crashes=2), Crashed(ERROR), {}, Reason.POISON),
        (claimed(), TimedOut(ERROR), {"on_timeout": "bury"}, Reason.TIMEOUT),
        (claimed(), Crashed(ERROR), {"at_most_once": True}, Reason.LOST),
        (claimed(), Released(), {"at_most_once": True}, Reason.LOST),
    ],
)
def test_what_its_code_would_be_dead_of_falls_back_however_seldom_it_was_tried(
    claim: Claim, outcome: Outcome, said: dict[str, object], reason: Reason
) -> None:
    settlement = judge(claim, outcome, terms(Fallback(HUMAN, None, USUAL), **said))
    assert (settlement.move, settlement.fallback, settlement.reason) == (Move.FALL_BACK, HUMAN, reason)
    assert settlement.cause is not None


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded(),
        Cancelled("not wanted"),
        Ended(Reason.BURIED, ERROR),
        Ended(Reason.UNBINDABLE, ERROR),
        Ended(Reason.REFUSED, ERROR),
        Expired(),
        Released(),
        Unregistered(ERROR),
    ],
)
def test_what_somebody_decided_stands(outcome: Outcome) -> None:
    claim = claimed(9)
    assert judge(claim, outcome, terms()) == judge(claim, outcome, Terms(Fixed(7, jitter=0)))


def test_a_timeout_that_cancels_is_no_failure_of_the_code() -> None:
    assert judge(claimed(9), TimedOut(ERROR), terms(on_timeout="cancel")).outcome == "cancelled"


def test_an_attempt_that_takes_itself_for_late_says_what_a_failure_would_have_become() -> None:
    late = judge(claimed(2), Late(), terms())
    assert (late.move, late.fallback) == (Move.LATE, "shop:naive")


def test_the_reaper_is_told_of_those_alone_that_fall_back_where_they_are_lost() -> None:
    lost = Fallback(HUMAN, 1, ("lost",))
    assert if_lost([("a:b", Terms()), ("c:d", terms()), ("e:f", terms(lost))]) == {"e:f": lost}
