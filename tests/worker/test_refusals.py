"""What is told of what the database refuses: by the names that people know."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from pgqueue.worker.claiming.held_claims import HeldClaims
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.refusals import Refusals
from pgqueue.worker.claiming.refused_jobs import RefusedJobs
from pgqueue.worker.claiming.refused_outcomes import RefusedOutcomes
from tests.worker.claims import claim


@pytest.fixture
def refused() -> tuple[RefusedJobs, RefusedOutcomes]:
    outbox = Outbox(lambda _: None)
    held = HeldClaims(1, outbox, lambda _: None)
    return RefusedJobs(1, held, lambda _: None), RefusedOutcomes(1, outbox, held, lambda _: None)


def told(refusals: Refusals[Any], key: Any) -> str:
    refusals.refuse(key, ValueError("not this one"))
    news = refusals.news()
    assert news is not None
    assert refusals.news() is None, "once a minute"
    return news.error


def test_a_refused_job_is_told_of_by_its_id(refused: tuple[RefusedJobs, RefusedOutcomes]) -> None:
    job_id = uuid4()
    assert told(refused[0].jobs, job_id) == f"the database refuses the claims of 1 jobs, first {job_id}: not this one"


def test_a_slot_that_cannot_be_looked_through_is_told_of_by_its_queue(
    refused: tuple[RefusedJobs, RefusedOutcomes],
) -> None:
    assert "to look for jobs in 1 slots, first mail:" in told(refused[0].slots, ("mail", 5))


def test_a_refused_outcome_is_told_of_by_the_id_of_its_job(refused: tuple[RefusedJobs, RefusedOutcomes]) -> None:
    taken = claim("give")
    assert f"the outcomes of 1 jobs, first {taken.id}:" in told(refused[1].refusals, taken.token)
