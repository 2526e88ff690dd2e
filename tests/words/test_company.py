"""Company: with how many a job is tried, and that none ends by what may be another's failure."""

from __future__ import annotations

import pytest

from pgqueue.company import Batching, judge_together
from pgqueue.judge import Fallback, Terms
from pgqueue.outcome import Cancelled, Crashed, Ended, Failed, Move, Outcome, Reason, Released, TimedOut, error_report
from pgqueue.retry import Fixed
from tests.worker.claims import claim

ERROR = error_report("ValueError", "no")


@pytest.mark.parametrize(
    ("attempt", "most", "crashes", "company"),
    [
        (1, None, 0, 100),
        (2, None, 0, 10),
        (3, None, 0, 1),
        (30_000, 32_767, 0, 1),
        (1, None, 1, 1),
        (1, 2, 0, 100),
        (2, 2, 0, 1),
        (1, 1, 0, 1),
    ],
)
def test_a_job_is_tried_in_ever_smaller_company_and_at_last_alone(
    attempt: int, most: int | None, crashes: int, company: int
) -> None:
    job = claim("", attempt=attempt, crashes=crashes)
    assert Batching(100, 0.2).company(job, most) == company
    assert Batching(100, 0.2).company(job._replace(max_attempts=most), None) == company


@pytest.mark.parametrize(
    "outcome", [Failed(ERROR), Failed(ERROR, retryable=False), TimedOut(ERROR), Crashed(ERROR)], ids=str
)
@pytest.mark.parametrize("attempt", [1, 26])
def test_no_job_ends_by_what_another_may_have_done(outcome: Outcome, attempt: int) -> None:
    terms = Terms(Fixed(3), on_timeout="bury", fallback=Fallback("a:b", 1, ("failed", "timeout", "crashed")))
    done = judge_together(claim("", attempt=attempt), outcome, terms)
    assert (done.move, done.reason) == (Move.RETRY, None)
    assert 1 < done.delay < 5
    assert judge_together(claim(""), outcome, Terms(Fixed(3), on_timeout="cancel")).move is Move.RETRY


def test_what_the_task_says_of_the_whole_holds_for_each() -> None:
    assert judge_together(claim(""), Ended(Reason.BURIED, error_report("Bury", "all")), Terms()).reason == "buried"
    assert judge_together(claim(""), Cancelled("not wanted"), Terms()).outcome == "cancelled"
    assert judge_together(claim(""), Released(5), Terms()).move is Move.RELEASE
