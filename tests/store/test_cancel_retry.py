"""Cancelling and retrying a job in each state: what happens, and what the caller is told."""

from __future__ import annotations

from uuid import uuid4

import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, jobs
from tests.factories import (
    HOUR,
    Conn,
    claim,
    claim_one,
    count,
    enlist,
    enqueue,
    fail,
    job,
    make,
    outcomes,
    settle,
    state,
)

WAITING = [JobState.SCHEDULED, JobState.READY, JobState.RETRYING]
OTHERS = [each for each in JobState if each not in (*WAITING, JobState.MANUAL, JobState.WAITING)]


@pytest.mark.parametrize("before", WAITING)
def test_a_waiting_job_is_cancelled(db: Conn, before: JobState) -> None:
    made = make(db, before, args={"n": 1}, labels={"a": "b"})
    assert execute(db, jobs.cancel(made)) == "cancelled"
    found = job(db, made)
    assert (found.state, found.args, found.labels) == ("cancelled", {"n": 1}, {"a": "b"})
    assert found.reason == "cancelled before it ran"
    assert claim(db, enlist(db)) == []


@pytest.mark.parametrize("before", OTHERS)
def test_p2_cancelling_what_runs_or_has_ended_changes_nothing(db: Conn, before: JobState) -> None:
    made = make(db, before)
    whole = job(db, made)
    assert execute(db, jobs.cancel(made)) == before
    assert job(db, made) == whole


def test_cancelling_frees_the_unique_key(db: Conn) -> None:
    made = enqueue(db, unique_key="k")
    execute(db, jobs.cancel(made))
    assert enqueue(db, unique_key="k") != made


def test_cancelling_what_never_was_answers_none(db: Conn) -> None:
    assert execute(db, jobs.cancel(uuid4())) is None
    assert execute(db, jobs.retry(uuid4())) is None


def test_a_cancelled_job_keeps_the_attempts_it_had(db: Conn) -> None:
    made = make(db, JobState.RETRYING)
    execute(db, jobs.cancel(made))
    assert outcomes(db, made) == ["failed", "cancelled"]


def test_p5_no_earlier_attempt_settles_a_cancelled_job(db: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken)
    execute(db, jobs.cancel(taken.id))
    assert settle(db, taken) == {taken.id}
    assert state(db, taken.id) == "cancelled"


def test_a_dead_job_is_revived_with_fresh_attempts_and_all_it_had(db: Conn) -> None:
    options = {"queue": "mail", "priority": 8, "max_attempts": 2, "labels": {"a": "b"}, "unique_key": "k"}
    taken = claim_one(db, {"n": 1}, store_result=True, timeout=7, **options)
    fail(db, taken, None)
    assert execute(db, jobs.retry(taken.id)) == "ready"
    (again,) = claim(db, enlist(db), 1, "mail")
    same = ("id", "args", "queue", "priority", "max_attempts", "timeout", "store_result", "labels")
    assert [getattr(again, name) for name in same] == [getattr(taken, name) for name in same]
    assert (again.attempt, again.crashes) == (1, 0)
    assert enqueue(db, unique_key="k") == taken.id


def test_p5_reviving_keeps_the_claim_number(db: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken)
    (second,) = claim(db, taken.worker)
    fail(db, second, None)
    execute(db, jobs.retry(taken.id))
    (third,) = claim(db, taken.worker)
    assert (third.claim, third.attempt) == (3, 1)


def test_p2_a_job_can_die_and_be_revived_again_and_again(db: Conn) -> None:
    made = enqueue(db)
    for _ in range(3):
        (taken,) = claim(db, enlist(db))
        fail(db, taken, None)
        assert execute(db, jobs.retry(made)) == "ready"
    (taken,) = claim(db, enlist(db))
    settle(db, taken)
    assert outcomes(db, made) == ["failed"] * 3 + ["succeeded"]
    assert state(db, made) == "succeeded"


def test_p10_a_dead_job_stays_dead_while_a_live_one_has_its_unique_key(db: Conn) -> None:
    made = make(db, JobState.DEAD, unique_key="k")
    other = enqueue(db, unique_key="k")
    assert execute(db, jobs.retry(made)) == "dead"
    assert state(db, made) == "dead"
    execute(db, jobs.cancel(other))
    assert execute(db, jobs.retry(made)) == "ready"


def test_a_revived_job_has_no_ttl_left_to_miss(db: Conn) -> None:
    made = make(db, JobState.DEAD, ttl=HOUR)
    execute(db, jobs.retry(made))
    assert db.execute("select id, expires_at from pgqueue.jobs").fetchall() == [(made, None)]


@pytest.mark.parametrize("before", [JobState.SCHEDULED, JobState.RETRYING])
def test_retrying_what_waits_makes_it_due_now(db: Conn, before: JobState) -> None:
    made = make(db, before)
    assert execute(db, jobs.retry(made)) == "ready"
    assert [each.id for each in claim(db, enlist(db))] == [made]


@pytest.mark.parametrize("before", [JobState.RUNNING, JobState.SUCCEEDED, JobState.CANCELLED])
def test_p2_retrying_what_runs_or_ended_well_changes_nothing(db: Conn, before: JobState) -> None:
    made = make(db, before)
    whole = job(db, made)
    assert execute(db, jobs.retry(made)) == before
    assert job(db, made) == whole


def test_retrying_a_ready_job_leaves_it_at_its_place(db: Conn) -> None:
    made = enqueue(db)
    before = job(db, made).run_at
    assert execute(db, jobs.retry(made)) == "ready"
    assert job(db, made).run_at == before
    assert count(db, "jobs") == 1
