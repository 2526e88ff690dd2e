"""Jobs that other code goes on with: the same job, its next attempt, and nothing of it lost or done twice."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.errors import OptionError
from pgqueue.job import JobState
from pgqueue.judge import Fallback
from pgqueue.manual import manual_done, manual_fail
from pgqueue.outcome import Move
from pgqueue.store import enqueueing, execute, jobs, reading, workers
from pgqueue.tasks import task
from tests import factories
from tests.conftest import Connect
from tests.factories import (
    TARGET,
    claim,
    claim_one,
    count,
    enlist,
    enqueue,
    fail,
    failure,
    fall,
    job,
    lose,
    outcomes,
    settle,
    state,
)

Conn = psycopg.Connection[Any]
NAIVE = "shop.naive:send"


def column(db: Conn, name: str, job_id: object) -> Any:
    (value,) = db.execute(f"select {name} from pgqueue.jobs where id = %s", [job_id]).fetchone() or (None,)
    return value


def test_the_same_job_goes_on_under_other_code_and_its_success_is_degraded(db: Conn) -> None:
    first = claim_one(db, [42], unique_key="order:42", labels={"shop": "north"}, priority=7)
    assert fall(db, first, NAIVE) == frozenset()
    assert state(db, first.id) is JobState.READY
    assert not enqueueing_again(db).created
    (second,) = claim(db, enlist(db))
    assert (second.id, second.target, second.args, second.priority) == (first.id, NAIVE, "[42]", 7)
    assert (second.attempt, second.claim) == (1, 2)
    assert job(db, first.id).degraded
    settle(db, second)
    ended = job(db, first.id)
    assert (ended.state, ended.target, ended.degraded) == (JobState.SUCCEEDED, NAIVE, True)
    tried = execute(db, reading.attempts(first.id))
    assert [(each.outcome, each.target, each.degraded) for each in tried] == [
        ("failed", TARGET, False),
        ("succeeded", NAIVE, True),
    ]
    found = db.execute("select fallen_from from pgqueue.job where id = %s", [first.id]).fetchone()
    assert found == ([TARGET],)


def enqueueing_again(db: Conn) -> Any:
    return execute(db, enqueueing.enqueue(factories.NewJob(TARGET, [42], unique_key="order:42")))


def test_a_success_in_a_transaction_of_its_own_is_degraded_as_well(db: Conn) -> None:
    first = claim_one(db)
    fall(db, first, NAIVE)
    (second,) = claim(db, enlist(db))
    assert execute(db, jobs.complete(second, None))
    assert job(db, first.id).degraded


def test_a_success_of_the_first_code_is_not_degraded_however_often_it_was_tried(db: Conn) -> None:
    first = claim_one(db)
    fail(db, first)
    settle(db, *claim(db, first.worker))
    assert not job(db, first.id).degraded


def test_a_fallback_has_attempts_a_timeout_and_crashes_of_its_own(db: Conn) -> None:
    first = claim_one(db, timeout=5, max_attempts=3)
    db.execute("update pgqueue.jobs set crashes = 2")
    fall(db, first, NAIVE, outcome="crashed")
    (second,) = claim(db, enlist(db))
    assert (second.timeout, second.max_attempts, second.crashes, second.attempt) == (None, None, 0, 1)


def test_a_late_attempt_gives_its_job_to_nobody(db: Conn) -> None:
    first = claim_one(db)
    lose(db, first)
    (second,) = claim(db, enlist(db))
    assert fall(db, first, NAIVE) == {first.id}
    assert fall(db, first) == {first.id}
    assert (job(db, first.id).target, count(db, "manual_jobs")) == (TARGET, 0)
    assert fall(db, second, NAIVE) == frozenset()


def test_a_repeated_settlement_is_acknowledged_and_falls_once(db: Conn) -> None:
    first = claim_one(db)
    fall(db, first, NAIVE)
    assert fall(db, first, NAIVE) == frozenset()
    assert (column(db, "fallen_from", first.id), outcomes(db, first.id)) == ([TARGET], ["failed"])


def test_one_that_is_late_in_a_batch_fails_no_other(db: Conn) -> None:
    worker = enlist(db)
    taken = [claim_one(db, worker=worker) for _ in range(3)]
    fail(db, taken[1])
    batch = [failure(each)._replace(move=Move.FALL_BACK, fallback=NAIVE) for each in taken]
    answer = execute(db, jobs.fall_back(worker, batch))
    assert [job(db, each.id).target for each in taken] == [NAIVE, TARGET, NAIVE]
    assert answer == frozenset() or answer == {taken[1].id}


@pytest.mark.parametrize("to", [TARGET, "a:b"])
def test_a_target_that_gave_up_does_not_come_again_and_the_job_is_dead(db: Conn, to: str) -> None:
    first = claim_one(db)
    fall(db, first, "a:b")
    (second,) = claim(db, enlist(db))
    assert fall(db, second, to) == frozenset()
    dead = job(db, first.id)
    assert (dead.state, dead.reason, dead.target, dead.degraded) == (JobState.DEAD, "exhausted", "a:b", True)


def test_no_more_than_eight_targets_have_a_job_but_a_human_may_follow_them(db: Conn) -> None:
    worker = enlist(db)
    ids = factories.fill(db, 2)
    for n in range(7):
        for each in claim(db, worker, 2):
            fall(db, each, f"a:t{n}")
    ends = claim(db, worker, 2)
    fall(db, ends[0], "a:t7")
    fall(db, ends[1], "human")
    assert {state(db, ids[0]), state(db, ids[1])} == {JobState.DEAD, JobState.MANUAL}


def test_a_dead_job_is_revived_under_its_first_target_with_what_it_said(db: Conn) -> None:
    first = claim_one(db, timeout=5.5, max_attempts=3)
    fall(db, first, NAIVE)
    (second,) = claim(db, enlist(db))
    fail(db, second, None)
    assert job(db, first.id).target == NAIVE
    execute(db, jobs.retry(first.id))
    (third,) = claim(db, enlist(db))
    assert (third.target, third.timeout, third.max_attempts, third.attempt) == (TARGET, 5.5, 3, 1)
    assert not job(db, first.id).degraded
    settle(db, third)
    assert not job(db, first.id).degraded


def test_a_job_that_was_to_be_cancelled_while_it_ran_falls_back_to_nothing(db: Conn) -> None:
    for to in (NAIVE, "human"):
        first = claim_one(db)
        execute(db, jobs.cancel(first.id))
        fall(db, first, to)
        assert state(db, first.id) is JobState.CANCELLED
    assert (count(db, "jobs"), count(db, "manual_jobs"), count(db, "cancellations")) == (0, 0, 0)


def test_a_fallback_waits_in_the_lane_of_its_own_task(db: Conn) -> None:
    db.execute("select pgqueue.set_limit('task', %s, concurrency => 1)", [NAIVE])
    first = claim_one(db, limit_key="tenant:7")
    fall(db, first, NAIVE)
    assert column(db, "lane", first.id) == f"tenant:7\x01{NAIVE}"
    assert count(db, "holds") == 0


def declared(db: Conn, worker: int, **lost: Any) -> None:
    said = {TARGET: Fallback(lost.get("to", NAIVE), lost.get("after"), ("lost",))}
    execute(db, workers.declare_fallbacks(worker, said))


def test_the_reaper_gives_a_lost_job_to_what_its_worker_told(db: Conn) -> None:
    first = claim_one(db)
    declared(db, first.worker, after=1)
    lose(db, first)
    fallen = job(db, first.id)
    assert (fallen.target, fallen.state, fallen.degraded, outcomes(db, first.id)) == (
        NAIVE,
        JobState.READY,
        True,
        ["lost"],
    )


@pytest.mark.parametrize(("after", "to", "expected"), [(2, NAIVE, TARGET), (None, NAIVE, TARGET), (1, TARGET, TARGET)])
def test_a_lost_job_keeps_its_code_as_long_as_nothing_else_is_said(
    db: Conn, after: int | None, to: str, expected: str
) -> None:
    first = claim_one(db)
    declared(db, first.worker, after=after, to=to)
    lose(db, first)
    assert (job(db, first.id).target, job(db, first.id).state) == (expected, JobState.READY)


def test_a_lost_job_that_would_be_dead_waits_for_a_human_instead(db: Conn) -> None:
    first = claim_one(db, max_attempts=1)
    declared(db, first.worker, to="human")
    lose(db, first)
    assert state(db, first.id) is JobState.MANUAL
    assert db.execute("select reason from pgqueue.manual_jobs").fetchall() == [("lost",)]


def test_a_fall_and_a_cancel_that_meet_leave_one_end(db: Conn, connect: Connect) -> None:
    for to in (NAIVE, "human"):
        first = claim_one(db)
        with connect() as other:
            execute(other, jobs.cancel(first.id))
            # It is told that the job runs, and its row of the cancellation is not committed yet.
            fall(db, first, to)
            other.commit()
        db.execute("select pgqueue.tidy_cancellations()")
        assert state(db, first.id) is JobState.CANCELLED
    assert (count(db, "cancellations"), count(db, "manual_jobs")) == (0, 0)


def test_two_settlements_of_one_attempt_move_the_job_once(db: Conn, connect: Connect) -> None:
    first = claim_one(db)
    other = connect(autocommit=True)
    with db.transaction():
        fall(db, first, NAIVE)
        second = threading.Thread(target=fall, args=(other, first, "human"))
        second.start()
    second.join(10)
    assert (job(db, first.id).target, state(db, first.id), count(db, "manual_jobs")) == (NAIVE, JobState.READY, 0)


@pytest.mark.parametrize("end", ["other code", "a human", "dead"])
def test_what_follows_the_job_follows_it_whoever_ends_it(db: Conn, end: str) -> None:
    said = '{"follow_ups": [{"on": "end", "target": "shop:tell", "queue": "told"}]}'
    db.execute("insert into pgqueue.follow_ups (target, said) values (%s, %s)", [TARGET, said])
    first = claim_one(db)
    fall(db, first, "human" if end == "a human" else NAIVE)
    assert count(db, "jobs") == 1
    match end:
        case "a human":
            manual_done(db, first.id)
        case "dead":
            fail(db, *claim(db, enlist(db)), None)
        case _:
            settle(db, *claim(db, enlist(db)))
    ((args,),) = db.execute("select args -> 'ended' from pgqueue.jobs where queue = 'told'").fetchall()
    assert (args["id"], args["target"]) == (str(first.id), TARGET)
    assert args["state"] == ("dead" if end == "dead" else "succeeded")


@pytest.mark.parametrize("end", ["fails", "is lost", "is given up", "is buried"])
def test_a_dead_job_is_handed_on_by_whoever_buries_it(db: Conn, end: str) -> None:
    triage = pgqueue.NewJob("shop.ops:triage", queue="triage")
    made = pgqueue.enqueue(db, TARGET, [42], max_attempts=1, dead_to=triage)
    if end == "is buried":
        db.execute("select pgqueue.bury_waiting(%s, 'buried', 'E', 'by hand')", [made.id])
    else:
        (taken,) = claim(db, enlist(db))
        match end:
            case "fails":
                fail(db, taken, None)
            case "is lost":
                lose(db, taken)
            case _:
                fall(db, taken)
                assert count(db, "jobs") == 1
                manual_fail(db, made.id, why="no such order")
    ((args,),) = db.execute("select args -> 'ended' from pgqueue.jobs where queue = 'triage'").fetchall()
    dead = job(db, made.id)
    assert (args["id"], args["state"], args["reason"]) == (str(made.id), "dead", dead.reason)
    assert f"{args['error_type']}: {args['error']}" == dead.last_error


def test_a_job_is_handed_on_to_one_task_alone() -> None:
    with pytest.raises(OptionError, match="dead_to is one task"):
        pgqueue.NewJob(TARGET, dead_to=["a:b", "c:d"])  # type: ignore[arg-type]  # what is refused
    assert task(dead_to="a:b", on_failure="c:d")(hand_on).follows.on_failure == ["c:d", "a:b"]


def hand_on() -> None: ...


def test_jobs_and_dead_jobs_have_what_a_revival_needs(db: Conn) -> None:
    columns = {
        table: {
            row[0]
            for row in db.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
                [f"pgqueue.{table}"],
            )
        }
        for table in ("jobs", "dead_jobs")
    }
    of_running = {"expires_at", "worker", "lane", "lined", "avoid_host"}
    assert columns["jobs"] - columns["dead_jobs"] == of_running
    taken = enqueue(db)
    assert state(db, taken) is JobState.READY
