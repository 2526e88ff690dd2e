"""Moves against each other: claim, settle, reap, cancel, retry, heartbeat, disown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.job import NewJob
from pgqueue.store import by_name, enqueueing, execute, jobs, wakeups, workers
from tests.factories import (
    HOUR,
    LEASE,
    TARGET,
    Conn,
    claim,
    claim_one,
    count,
    disown,
    enlist,
    enqueue,
    expire,
    fail,
    fill,
    job,
    lose,
    outcomes,
    reap,
    release,
    settle,
    slots,
    state,
    step,
    step_as_before,
)
from tests.races.interleave import Sides


def cancel(conn: Conn, made: UUID) -> str | None:
    return execute(conn, jobs.cancel(made))


def retry(conn: Conn, made: UUID) -> str | None:
    return execute(conn, jobs.retry(made))


def test_p6_two_claims_at_once_never_take_the_same_job(db: Conn, one: Conn, two: Conn) -> None:
    made = fill(db, 10)
    first, second = enlist(db), enlist(db)
    taken = claim(one, first, 6), claim(two, second, 6)
    one.commit()
    two.commit()
    assert [len(each) for each in taken] == [6, 4]
    assert sorted(each.id for each in (*taken[0], *taken[1])) == made


def test_p2_a_claim_that_rolls_back_gives_the_job_to_the_next(db: Conn, one: Conn) -> None:
    enqueue(db)
    first, second = enlist(db), enlist(db)
    claim(one, first)
    assert claim(db, second) == []
    one.rollback()
    (taken,) = claim(db, second)
    assert (taken.attempt, taken.claim) == (1, 1)


def test_p5_a_success_behind_the_reaper_is_late(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    reap(one)
    late = sides.blocked(two, settle, taken)
    one.commit()
    assert late.result() == {taken.id}
    two.commit()
    assert state(db, taken.id) == "ready"
    assert outcomes(db, taken.id) == ["late"]


@pytest.mark.parametrize("move", [fail, release])
def test_p5_a_failure_behind_the_reaper_is_late(db: Conn, one: Conn, two: Conn, sides: Sides, move: Any) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    reap(one)
    late = sides.blocked(two, move, taken)
    one.commit()
    assert late.result() == {taken.id}
    two.commit()
    assert (job(db, taken.id).state, job(db, taken.id).attempt) == ("ready", 1)


def test_p4_a_completion_behind_the_reaper_is_refused(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    reap(one)
    late = sides.blocked(two, execute, jobs.complete(taken, None))
    one.commit()
    assert late.result() is False
    two.rollback()
    assert state(db, taken.id) == "ready"


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("move", [settle, fail, release])
def test_p5_the_reaper_behind_a_settlement_takes_only_what_is_left(db: Conn, one: Conn, move: Any, end: str) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    move(one, taken)
    # It waits for nobody, and comes back.
    db.execute("set statement_timeout = '2s'")
    assert reap(db).get(taken.worker, 0) == 0
    getattr(one, end)()
    assert reap(db) == {taken.worker: int(end == "rollback")}
    assert len(outcomes(db, taken.id)) == 1
    assert count(db, "workers") == 0


def test_p5_a_heartbeat_behind_the_reaper_finds_its_lease_gone(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    worker = enlist(db, lease=0.3)
    # Read while the lease stands, and kept waiting until it has ended and was reaped.
    three = one
    three.execute("select from pgqueue.workers for update")
    beat = sides.blocked(two, execute, workers.heartbeat(worker, LEASE))
    three.execute("update pgqueue.workers set expires_at = clock_timestamp()")
    three.commit()
    assert not beat.result().alive
    two.commit()
    assert reap(db) == {worker: 0}


def test_p5_a_heartbeat_while_the_reaper_works_is_refused(db: Conn, one: Conn, two: Conn) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    reap(one)
    assert not execute(two, workers.heartbeat(taken.worker, LEASE)).alive
    one.commit()
    assert state(db, taken.id) == "ready"


def test_p6_a_claim_behind_the_reaper_claims_nothing(db: Conn, one: Conn, two: Conn) -> None:
    worker = enlist(db)
    enqueue(db)
    expire(db, worker)
    reap(one)
    answer = step(two, worker, [], 5)
    one.commit()
    assert (answer.claims, answer.alive) == ([], False)


CLAIMS = {
    "step": lambda conn, worker, _made: step(conn, worker, [], 5),
    "step as before": lambda conn, worker, _made: step_as_before(conn, worker, 5),
    "by name": lambda conn, worker, made: execute(conn, by_name.claim(worker, [made], slots(), 0)),
    "by hand": lambda conn, worker, made: execute(conn, jobs.claim_one(worker, made)),
}


@pytest.mark.parametrize("passing", ["the reaper", "disown"])
@pytest.mark.parametrize("how", CLAIMS)
def test_p6_whoever_passes_a_claim_that_has_found_its_lease_undoes_it(
    db: Conn, one: Conn, three: Conn, sides: Sides, how: str, passing: str
) -> None:
    """The claim is held up where it has looked at its lease, and before it has marked the job."""
    worker, made = enlist(db), enqueue(db)
    db.execute(
        "create function wait() returns trigger language plpgsql as"
        " $$ begin perform pg_advisory_xact_lock(4242); return new; end $$;"
        "create trigger wait before update on pgqueue.jobs for each row execute function wait()"
    )
    three.execute("select pg_advisory_xact_lock(4242)")
    claiming = sides.blocked(one, CLAIMS[how], worker, made)
    if passing == "the reaper":
        expire(db, worker)
        assert reap(db) == {worker: 0}
    else:
        assert disown(db, worker, []) == 0
    three.rollback()
    with pytest.raises(psycopg.errors.SerializationFailure, match="lease of worker"):
        claiming.result()
    one.rollback()
    assert state(db, made) == "ready"


def test_p8_a_heartbeat_passes_a_claim_under_way(db: Conn, one: Conn) -> None:
    worker = enlist(db)
    enqueue(db)
    assert claim(one, worker)
    db.execute("set lock_timeout = '1s'")
    assert execute(db, workers.heartbeat(worker, LEASE)).alive


def test_p11_no_lock_that_anybody_can_take_keeps_a_worker_from_claiming(db: Conn, one: Conn, two: Conn) -> None:
    """What pg_locks shows, and what somebody without any right could hold."""
    worker, made = enlist(db), enqueue(db)
    claim(one, worker)
    shown = db.execute("select classid, objid from pg_locks where locktype = 'advisory'").fetchall()
    assert shown == []
    one.rollback()
    two.execute("select pg_advisory_lock(%s), pg_advisory_lock(7702, 0), pg_advisory_lock(7703, 0)", [worker])
    two.execute("select pg_advisory_lock(7708, 0), pg_advisory_lock(7701, hashtext('default'))")
    db.execute("set statement_timeout = '2s'")
    assert not execute(db, wakeups.hungry(None))
    assert not execute(db, wakeups.hungry(["default"]))
    assert execute(db, jobs.disown(worker, [], 1)) == 0
    assert [each.id for each in claim(db, worker)] == [made]
    expire(db, worker)
    assert reap(db) == {worker: 1}
    db.execute("insert into pgqueue.results values (pgqueue.uuid7_floor('2000-01-01'), now() - interval '1 day', '1')")
    db.execute("select pgqueue.prune('7 days', '180 days')")


def test_p8_the_reaper_behind_a_claim_passes_by_and_takes_it_later(db: Conn, one: Conn) -> None:
    worker = enlist(db)
    made = enqueue(db)
    claim(one, worker)
    expire(db, worker)
    db.execute("set statement_timeout = '2s'")
    assert reap(db) == {}
    one.commit()
    assert state(db, made) == "running"
    assert reap(db) == {worker: 1}
    assert state(db, made) == "ready"


def test_settling_and_reaping_in_opposite_order_do_not_deadlock(
    db: Conn, one: Conn, two: Conn, three: Conn, sides: Sides
) -> None:
    """Ids and places of rows run against each other, and a third side holds the second row of each."""
    worker = enlist(db)
    ids = [UUID(int=number) for number in (3, 4, 1, 2)]
    for made in ids:
        enqueue(db, job_id=made)
    taken = claim(db, worker, 4)
    expire(db, worker)
    three.execute("select from pgqueue.jobs where id = any (%s) for update", [[UUID(int=2), UUID(int=4)]])
    settling = sides.blocked(one, settle, *taken)
    db.execute("set statement_timeout = '2s'")
    # It waits for no row, and takes the one that the settlement has not come to.
    assert reap(db) == {worker: 1}
    three.rollback()
    assert settling.result() == {UUID(int=3)}
    one.commit()
    assert reap(db) == {worker: 0}
    assert count(db, "attempts") == 4


def test_a_step_that_disown_has_passed_while_it_settled_claims_nothing(
    db: Conn, one: Conn, two: Conn, three: Conn, sides: Sides
) -> None:
    """The step's reply is lost while it is still settling."""
    taken = claim_one(db)
    waiting = enqueue(db)
    three.execute("select from pgqueue.jobs where id = %s for update", [taken.id])
    stepping = sides.blocked(one, step, taken.worker, [taken], 5)
    assert execute(two, jobs.disown(taken.worker, [taken], 1)) == 0
    two.commit()
    three.rollback()
    assert stepping.result().claims == []
    one.commit()
    assert (job(db, waiting).state, job(db, waiting).attempt) == ("ready", 0)


def test_disown_waits_for_a_claim_under_way_and_gives_it_back(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    worker, made = enlist(db), enqueue(db)
    claim(one, worker)
    disowning = sides.blocked(two, execute, jobs.disown(worker, [], 1))
    one.commit()
    assert disowning.result() == 1
    two.commit()
    assert (job(db, made).state, job(db, made).attempt) == ("ready", 0)


def test_p2_a_cancel_behind_a_claim_finds_the_job_running(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    made = enqueue(db)
    (taken,) = claim(one, enlist(db))
    answer = sides.blocked(two, cancel, made)
    one.commit()
    assert answer.result() == "running"
    two.commit()
    assert settle(db, taken) == frozenset()


@pytest.mark.parametrize("move", [cancel, retry])
def test_p11_a_move_that_finds_the_job_running_does_not_hold_up_its_settlement(db: Conn, one: Conn, move: Any) -> None:
    taken = claim_one(db)
    assert move(one, taken.id) == "running"
    db.execute("set lock_timeout = '1s'")
    assert settle(db, taken) == frozenset()


@pytest.mark.parametrize("move", [cancel, retry])
def test_p11_a_move_behind_a_claim_does_not_hold_up_its_settlement(
    db: Conn, one: Conn, two: Conn, sides: Sides, move: Any
) -> None:
    made, worker = enqueue(db), enlist(db)
    (taken,) = claim(one, worker)
    moving = sides.blocked(two, move, made)
    one.commit()
    assert moving.result(10) == "running"
    db.execute("set lock_timeout = '1s'")
    assert settle(db, taken) == frozenset()


def test_p2_a_cancel_behind_a_claim_that_rolls_back_cancels(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    made = enqueue(db)
    claim(one, enlist(db))
    answer = sides.blocked(two, cancel, made)
    one.rollback()
    assert answer.result() == "cancelled"
    two.commit()
    assert state(db, made) == "cancelled"


@pytest.mark.parametrize(("end", "left"), [("commit", "cancelled"), ("rollback", "ready")])
def test_p2_a_claim_behind_a_cancel_passes_the_job_by(db: Conn, one: Conn, end: str, left: str) -> None:
    made = enqueue(db)
    cancel(one, made)
    worker = enlist(db)
    assert claim(db, worker) == []
    getattr(one, end)()
    assert state(db, made) == left
    assert len(claim(db, worker)) == (left == "ready")


def test_p2_a_cancel_behind_a_settlement_finds_the_end(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    settle(one, taken)
    answer = sides.blocked(two, cancel, taken.id)
    one.commit()
    assert answer.result() == "succeeded"
    two.commit()
    assert outcomes(db, taken.id) == ["succeeded"]


def test_p2_a_cancel_behind_a_retrying_failure_cancels(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    fail(one, taken, HOUR)
    answer = sides.blocked(two, cancel, taken.id)
    one.commit()
    assert answer.result() == "cancelled"
    two.commit()
    assert outcomes(db, taken.id) == ["failed", "cancelled"]


def test_p2_two_cancels_at_once_cancel_once(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    made = enqueue(db)
    cancel(one, made)
    answer = sides.blocked(two, cancel, made)
    one.commit()
    assert answer.result() == "cancelled"
    two.commit()
    assert outcomes(db, made) == ["cancelled"]


def test_p2_a_retry_behind_a_settlement_never_revives_the_ended(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    settle(one, taken)
    assert retry(two, taken.id) == "running"
    two.commit()
    one.commit()
    assert retry(two, taken.id) == "succeeded"
    two.commit()
    assert state(db, taken.id) == "succeeded"


def test_p2_a_retry_behind_a_claim_disturbs_nothing(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    made = enqueue(db)
    (taken,) = claim(one, enlist(db))
    answer = sides.blocked(two, retry, made)
    one.commit()
    assert answer.result() == "running"
    two.commit()
    assert settle(db, taken) == frozenset()


def test_p2_a_claim_behind_a_retry_takes_the_job_later(db: Conn, one: Conn) -> None:
    made = enqueue(db, delay=HOUR)
    retry(one, made)
    worker = enlist(db)
    assert claim(db, worker) == []
    one.commit()
    assert [each.id for each in claim(db, worker)] == [made]


def test_p2_two_retries_at_once_revive_once(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    fail(db, taken, None)
    retry(one, taken.id)
    answer = sides.blocked(two, retry, taken.id)
    one.commit()
    assert answer.result() == "ready"
    two.commit()
    assert (count(db, "jobs"), count(db, "dead_jobs")) == (1, 0)


def test_p10_a_retry_waits_for_who_enqueues_its_key(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db, unique_key="k")
    fail(db, taken, None)
    enqueue(one, unique_key="k")
    answer = sides.blocked(two, retry, taken.id)
    one.commit()
    assert answer.result() == "dead"
    two.commit()
    assert state(db, taken.id) == "dead"


def test_p5_a_late_settlement_behind_the_next_claim_is_late(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    lose(db, taken)
    (current,) = claim(one, enlist(db))
    assert settle(two, taken) == {taken.id}
    two.commit()
    one.commit()
    assert settle(db, current) == frozenset()
    assert outcomes(db, taken.id) == ["late", "succeeded"]


@pytest.mark.parametrize("again", [settle, fail, release])
@pytest.mark.parametrize("first", [settle, fail, release])
def test_p5_two_settlements_of_one_token_at_once_count_once(
    db: Conn, one: Conn, two: Conn, sides: Sides, first: Any, again: Any
) -> None:
    taken = claim_one(db)
    first(one, taken)
    second = sides.blocked(two, again, taken)
    one.commit()
    assert second.result() == (frozenset() if again is first else {taken.id})
    two.commit()
    assert len(outcomes(db, taken.id)) == 1


def test_two_batches_with_the_same_keys_do_not_deadlock(
    db: Conn, one: Conn, two: Conn, three: Conn, sides: Sides
) -> None:
    batch = [NewJob(TARGET, unique_key="a"), NewJob(TARGET, unique_key="b")]
    enqueue(three, unique_key="a")
    first = sides.blocked(one, execute, enqueueing.enqueue_many(batch))
    second = sides.blocked(two, execute, enqueueing.enqueue_many(batch[::-1]))
    three.rollback()
    done, waiting = (one, two) if _ended(first) else (two, one)
    done.commit()
    assert sorted(first.result()) == sorted(second.result())
    waiting.commit()
    assert count(db, "jobs") == 2


def test_two_batches_with_the_same_ids_in_the_order_of_other_keys_do_not_deadlock(
    db: Conn, one: Conn, two: Conn, three: Conn, sides: Sides
) -> None:
    low, high = UUID(int=1), UUID(int=2)
    batches = [
        [NewJob(TARGET, job_id=high, unique_key="a"), NewJob(TARGET, job_id=low, unique_key="b")],
        [NewJob(TARGET, job_id=low, unique_key="c"), NewJob(TARGET, job_id=high, unique_key="d")],
    ]
    enqueue(three, job_id=low)
    first = sides.blocked(one, execute, enqueueing.enqueue_many(batches[0]))
    second = sides.blocked(two, execute, enqueueing.enqueue_many(batches[1]))
    three.rollback()
    done, waiting = (one, two) if _ended(first) else (two, one)
    done.commit()
    assert (first.result(), second.result()) == ([high, low], [low, high])
    waiting.commit()
    assert count(db, "jobs") == 2


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_p10_a_job_with_an_id_of_its_own_in_a_batch_waits_for_who_enqueues_its_key(
    db: Conn, one: Conn, two: Conn, sides: Sides, end: str
) -> None:
    holder = enqueue(one, unique_key="k")
    mine = UUID(int=5)
    batch = [NewJob(TARGET, job_id=mine, unique_key="k"), NewJob(TARGET, job_id=mine), NewJob(TARGET)]
    second = sides.blocked(two, execute, enqueueing.enqueue_many(batch))
    getattr(one, end)()
    kept = holder if end == "commit" else mine
    assert second.result()[:2] == [kept, kept]
    two.commit()
    assert count(db, "jobs") == 2
    assert state(db, kept) == "ready"


def _ended(future: Any) -> bool:
    try:
        future.result(timeout=0.3)
    except TimeoutError:
        return False
    return True
