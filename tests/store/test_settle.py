"""Settling: success, failure and release, each once, each job of a batch on its own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, jobs, reading
from tests.conftest import Connect
from tests.factories import (
    HOUR,
    Conn,
    claim,
    claim_one,
    count,
    enlist,
    enqueue,
    expire,
    fail,
    failure,
    fill,
    job,
    lose,
    outcomes,
    release,
    settle,
    slots,
    state,
    success,
)


def settle_with_result(conn: Conn, claim: Claim, result: str) -> frozenset[Any]:
    return execute(conn, jobs.step(claim.worker, [success(claim, result)], slots(), timedelta(0), 0)).late


def test_p2_success_moves_the_job_from_jobs_to_history_in_one_statement(db: Conn) -> None:
    taken = claim_one(db, {"order": 1}, labels={"a": "b"})
    assert settle(db, taken) == frozenset()
    found = job(db, taken.id)
    assert (found.state, found.args, found.labels) == ("succeeded", {"order": 1}, {"a": "b"})
    assert count(db, "jobs") == 0
    assert outcomes(db, taken.id) == ["succeeded"]


def test_p2_a_rolled_back_settle_leaves_the_job_running(db: Conn, connect: Connect) -> None:
    taken = claim_one(db)
    other = connect()
    settle(other, taken)
    other.rollback()
    assert state(db, taken.id) == "running"
    assert outcomes(db, taken.id) == []


@pytest.mark.parametrize("move", [settle, fail, release])
def test_p13_settling_again_after_a_lost_reply_is_acknowledged(db: Conn, move: Any) -> None:
    taken = claim_one(db)
    move(db, taken)
    before = (job(db, taken.id), outcomes(db, taken.id))
    assert move(db, taken) == frozenset()
    assert (job(db, taken.id), outcomes(db, taken.id)) == before


def test_p13_releasing_again_what_never_began_is_acknowledged(db: Conn) -> None:
    taken = claim_one(db)
    release(db, taken, started=False)
    assert release(db, taken, started=False) == frozenset()
    assert (job(db, taken.id).attempt, outcomes(db, taken.id)) == (0, [])


def test_p5_one_late_settlement_in_a_batch_does_not_hurt_the_others(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 5)
    taken = claim(db, worker, 5)
    late = taken[2]
    db.execute("update pgqueue.jobs set worker = null, claim = claim + 1 where id = %s", [late.id])
    assert settle(db, *taken) == {late.id}
    assert [state(db, each.id) for each in taken] == ["succeeded", "succeeded", "ready", "succeeded", "succeeded"]


def test_p5_one_late_failure_in_a_batch_does_not_hurt_the_others(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 3)
    taken = claim(db, worker, 3)
    db.execute("update pgqueue.jobs set worker = 1 where id = %s", [taken[1].id])
    assert execute(db, jobs.fail(worker, [failure(each, HOUR) for each in taken])) == {taken[1].id}
    assert [state(db, each.id) for each in taken] == ["retrying", "running", "retrying"]


def test_p5_a_token_of_another_job_in_the_batch_settles_nothing(db: Conn) -> None:
    worker = enlist(db)
    first = claim_one(db, worker=worker)
    fail(db, first)
    (first,) = claim(db, worker)
    second = claim_one(db, worker=worker)
    assert (first.claim, second.claim) == (2, 1)
    swapped = [first._replace(claim=second.claim), second._replace(claim=first.claim)]
    assert settle(db, *swapped) == {first.id, second.id}
    assert [state(db, each.id) for each in (first, second)] == ["running", "running"]


def test_a_result_is_stored_only_if_it_is_given(db: Conn) -> None:
    silent, telling = claim_one(db), claim_one(db)
    settle(db, silent)
    settle_with_result(db, telling, '{"n": 1.10}')
    assert execute(db, reading.result(silent.id)) == (False, None)
    assert execute(db, reading.result(telling.id)) == (True, {"n": 1.1})


def test_p5_a_late_result_is_not_stored(db: Conn) -> None:
    taken = claim_one(db)
    lose(db, taken)
    assert settle_with_result(db, taken, "1") == {taken.id}
    assert execute(db, reading.result(taken.id)) == (False, None)


def test_p5_a_second_result_of_the_same_token_changes_nothing(db: Conn) -> None:
    taken = claim_one(db)
    settle_with_result(db, taken, "1")
    assert settle_with_result(db, taken, "2") == frozenset()
    assert execute(db, reading.result(taken.id)) == (True, 1)


def test_a_failure_with_a_delay_is_retried_after_it(db: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken, HOUR)
    found = job(db, taken.id)
    assert (found.state, found.attempt, found.worker, found.started_at) == ("retrying", 1, None, None)
    assert found.last_error == "builtins.OSError: no route"


def test_a_failure_without_delay_ends_dead_with_reason_and_every_attempt(db: Conn) -> None:
    taken = claim_one(db, {"n": 1}, unique_key="k", labels={"a": "b"})
    fail(db, taken)
    (again,) = claim(db, taken.worker)
    fail(db, again, None)
    found = job(db, taken.id)
    assert (found.state, found.reason, found.attempt) == ("dead", "exhausted", 2)
    assert (found.args, found.unique_key, found.labels) == ({"n": 1}, "k", {"a": "b"})
    assert found.last_error == "builtins.OSError: no route"
    assert outcomes(db, taken.id) == ["failed", "failed"]


def test_a_dead_job_without_an_error_has_no_last_error(db: Conn) -> None:
    taken = claim_one(db)
    execute(db, jobs.fail(taken.worker, [Settlement(taken.id, taken.claim, Move.END, "failed", 0.0, "buried")]))
    assert job(db, taken.id).last_error is None


def test_a_task_can_cancel_its_own_job(db: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken, None, outcome="cancelled")
    assert state(db, taken.id) == "cancelled"
    assert count(db, "dead_jobs") == 0


def test_failures_of_every_kind_settle_in_one_batch(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 4)
    again, dead, cancelled, poisoned = claim(db, worker, 4)
    batch = [
        failure(again, HOUR),
        failure(dead, None),
        failure(cancelled, None, outcome="cancelled"),
        failure(poisoned, None, outcome="crashed", reason="poison"),
    ]
    assert execute(db, jobs.fail(worker, batch)) == frozenset()
    ended = [state(db, each.id) for each in (again, dead, cancelled, poisoned)]
    assert ended == ["retrying", "dead", "cancelled", "dead"]


@pytest.mark.parametrize("delay", [1e15, float("inf")])
def test_p11_a_delay_without_end_does_not_fail_the_batch(db: Conn, delay: float) -> None:
    worker = enlist(db)
    fill(db, 4)
    one, two, three, four = claim(db, worker, 4)
    assert execute(db, jobs.fail(worker, [failure(one, delay), failure(two, 0)])) == frozenset()
    snoozed = [Settlement(each.id, each.claim, Move.RELEASE, "released", delay=delay) for each in (three, four)]
    assert execute(db, jobs.release(worker, snoozed)) == frozenset()
    assert state(db, one.id) == "retrying"


def test_p11_an_error_with_every_kind_of_character_is_stored(db: Conn) -> None:
    taken = claim_one(db)
    text = "% {} ' \" \\ \n 🎉" * 1000
    told = failure(taken, HOUR)._replace(error=text, traceback=text)
    execute(db, jobs.fail(taken.worker, [told]))
    (attempt,) = execute(db, reading.attempts(taken.id))
    assert (attempt.error, attempt.traceback) == (text, text)


def test_crashes_count_only_in_a_row(db: Conn) -> None:
    taken = claim_one(db)
    seen = []
    for outcome in ("crashed", "crashed", "failed", "crashed"):
        fail(db, taken, 0, outcome=outcome)
        (taken,) = claim(db, taken.worker)
        seen.append(taken.crashes)
    assert seen == [1, 2, 0, 1]


def test_p3_a_release_gives_the_attempt_back(db: Conn) -> None:
    taken = claim_one(db)
    release(db, taken, started=False)
    found = job(db, taken.id)
    assert (found.state, found.attempt, found.run_at) == ("ready", 0, taken.run_at)
    assert outcomes(db, taken.id) == []


def test_p3_a_snooze_gives_the_attempt_back_and_is_recorded(db: Conn) -> None:
    taken = claim_one(db)
    release(db, taken, HOUR)
    found = job(db, taken.id)
    assert (found.state, found.attempt) == ("scheduled", 0)
    assert outcomes(db, taken.id) == ["released"]


def test_p3_a_thousand_snoozes_use_no_attempt_up(db: Conn) -> None:
    worker = enlist(db)
    enqueue(db)
    for number in range(1, 50):
        (taken,) = claim(db, worker)
        assert (taken.attempt, taken.claim) == (1, number)
        release(db, taken)


def test_an_expired_lease_that_nobody_took_still_settles(db: Conn) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    assert settle(db, taken) == frozenset()
    assert state(db, taken.id) == "succeeded"


def test_p4_completing_in_a_transaction_of_ones_own_commits_with_it(db: Conn, connect: Connect) -> None:
    taken = claim_one(db, store_result=True)
    own = connect()
    assert execute(own, jobs.complete(taken, "[1]"))
    assert state(db, taken.id) == "running"
    own.commit()
    assert state(db, taken.id) == "succeeded"
    assert execute(db, reading.result(taken.id)) == (True, [1])


def test_p4_completing_and_rolling_back_leaves_the_job_running(db: Conn, connect: Connect) -> None:
    taken = claim_one(db, store_result=True)
    own = connect()
    execute(own, jobs.complete(taken, "[1]"))
    own.rollback()
    assert state(db, taken.id) == "running"
    assert count(db, "results") == 0


def test_completing_twice_is_true_and_changes_nothing(db: Conn) -> None:
    taken = claim_one(db)
    assert execute(db, jobs.complete(taken, None))
    assert execute(db, jobs.complete(taken, None))
    assert outcomes(db, taken.id) == ["succeeded"]


def test_settling_what_completed_in_its_own_transaction_is_acknowledged(db: Conn) -> None:
    taken = claim_one(db)
    execute(db, jobs.complete(taken, None))
    assert settle(db, taken) == frozenset()


def test_history_keeps_the_arguments_with_the_last_attempt_alone(db: Conn) -> None:
    taken = claim_one(db, {"n": 1})
    fail(db, taken)
    (again,) = claim(db, taken.worker)
    settle(db, again)
    rows = db.execute("select args::text from pgqueue.attempts order by claim").fetchall()
    assert [row[0] and json.loads(row[0]) for row in rows] == [None, {"n": 1}]


def test_a_batch_settles_whatever_the_order_of_its_rows(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 100)
    taken = claim(db, worker, 100)
    assert settle(db, *reversed(taken)) == frozenset()
    assert count(db, "jobs") == 0
    assert count(db, "attempts") == 100
