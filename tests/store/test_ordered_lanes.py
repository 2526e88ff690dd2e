"""Ordered lanes: the jobs of a key one after the other, also across retries; and shares of code outside of jobs."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.store import execute, jobs, keyed
from tests.conftest import Connect
from tests.factories import HOUR, Conn, disown, enlist, enqueue, fail, lose, release, settle
from tests.limits import holds, rule, take_keyed


def lane(conn: Conn, **numbers: str) -> int:
    """Three jobs of one key, in order; answers a worker."""
    rule(conn, "key", "a", concurrency=1, ordered=True, **numbers)
    for number in range(3):
        enqueue(conn, [number], limit_key="a")
    return enlist(conn)


def due(conn: Conn) -> None:
    conn.execute("update pgqueue.jobs set run_at = now() where run_at > now()")


def test_a_job_that_is_retried_holds_its_lane(db: Conn) -> None:
    worker = lane(db)
    (first,) = take_keyed(db, worker)
    fail(db, first, HOUR)
    assert take_keyed(db, worker) == []
    assert holds(db) == {"k:a": 1}
    execute(db, keyed.reconcile())
    assert holds(db) == {"k:a": 1}
    due(db)
    order = []
    for _ in range(3):
        (taken,) = take_keyed(db, worker)
        order.append(taken.args)
        assert holds(db) == {"k:a": 1}
        settle(db, taken)
    assert order == ["[0]", "[1]", "[2]"]
    assert holds(db) == {}


@pytest.mark.parametrize("how", [release, lambda conn, taken: release(conn, taken, HOUR), lambda c, t: lose(c, t)])
def test_nothing_passes_a_job_that_comes_back_to_an_ordered_lane(db: Conn, how: object) -> None:
    worker = lane(db)
    (first,) = take_keyed(db, worker)
    how(db, first)  # type: ignore[operator]
    due(db)
    assert [each.args for each in take_keyed(db, enlist(db))] == ["[0]"]


@pytest.mark.parametrize(
    "how", [lambda conn, taken: release(conn, taken, started=False), lambda conn, taken: disown(conn, taken.worker, [])]
)
def test_a_retry_that_could_not_begin_holds_its_lane_all_the_same(db: Conn, how: object) -> None:
    worker = lane(db)
    fail(db, *take_keyed(db, worker), 0.0)
    (again,) = take_keyed(db, worker)
    how(db, again)  # type: ignore[operator]
    assert holds(db) == {"k:a": 1}
    assert [each.args for each in take_keyed(db, enlist(db))] == ["[0]"]


@pytest.mark.parametrize(
    "sql",
    [
        "select from pgqueue.jobs where args::text = '[0]' for update",
        "update pgqueue.jobs set avoid_host = (select host from pgqueue.workers) where args::text = '[0]'",
        "update pgqueue.jobs set target = 'other:task' where args::text = '[0]'",
    ],
    ids=["it is locked", "it avoids the host", "others know its task"],
)
def test_nothing_passes_the_first_of_an_ordered_lane(db: Conn, connect: Connect, sql: str) -> None:
    worker = lane(db)
    db.execute("update pgqueue.workers set passed = '{other:task}'")
    others = connect()
    others.execute(sql)
    if not sql.startswith("select"):
        others.commit()
    assert take_keyed(db, worker) == []
    others.rollback()
    db.execute("update pgqueue.workers set passed = null")
    db.execute("update pgqueue.jobs set avoid_host = null")
    assert [each.args for each in take_keyed(db, worker)] == ["[0]"]


def test_an_ordered_lane_goes_on_when_its_job_dies(db: Conn) -> None:
    worker = lane(db)
    (first,) = take_keyed(db, worker)
    fail(db, first, None)
    assert [each.args for each in take_keyed(db, worker)] == ["[1]"]


def test_an_ordered_lane_that_is_to_stop_waits_for_its_dead_job(db: Conn) -> None:
    worker = lane(db, on_dead="stop")
    (first,) = take_keyed(db, worker)
    fail(db, first, None)
    assert take_keyed(db, worker) == []
    execute(db, keyed.reconcile())
    assert take_keyed(db, worker) == []
    execute(db, jobs.retry(first.id))
    (again,) = take_keyed(db, worker)
    assert again.id == first.id
    settle(db, again)
    assert [each.args for each in take_keyed(db, worker)] == ["[1]"]


def test_a_stopped_lane_goes_on_when_its_dead_job_is_forgotten(db: Conn) -> None:
    worker = lane(db, on_dead="stop")
    (first,) = take_keyed(db, worker)
    fail(db, first, None)
    db.execute("select pgqueue.forget_dead(null, null, now() + interval '1 hour', null, 10)")
    assert [each.args for each in take_keyed(db, worker)] == ["[1]"]


def test_a_cancelled_retry_lets_its_lane_go(db: Conn) -> None:
    worker = lane(db)
    (first,) = take_keyed(db, worker)
    fail(db, first, HOUR)
    execute(db, jobs.cancel(first.id))
    assert [each.args for each in take_keyed(db, worker)] == ["[1]"]


def test_a_lane_that_is_not_ordered_any_more_waits_for_no_retry(db: Conn) -> None:
    worker = lane(db)
    (first,) = take_keyed(db, worker)
    fail(db, first, HOUR)
    pgqueue.set_limit(db, "key", "a", ordered=False)
    execute(db, keyed.adopt())
    assert [each.args for each in take_keyed(db, worker)] == ["[1]"]


def hold(conn: Conn, key: str, lease: float = 60, cost: int = 1) -> tuple[int | None, object]:
    row = conn.execute("select seq, again_at from pgqueue.hold(%s, %s, %s)", [key, lease, cost]).fetchone()
    assert row is not None
    return row[0], row[1]


def test_code_outside_of_jobs_shares_a_limit_with_them(db: Conn) -> None:
    rule(db, "key", "stripe", concurrency=2)
    for _ in range(3):
        enqueue(db, limit_key="stripe")
    seq, _ = hold(db, "stripe")
    worker = enlist(db)
    (taken,) = take_keyed(db, worker)
    assert hold(db, "stripe")[0] is None
    assert db.execute("select pgqueue.let_go_of('stripe', %s)", [seq]).fetchone() == (True,)
    assert db.execute("select pgqueue.let_go_of('stripe', %s)", [seq]).fetchone() == (False,)
    assert len(take_keyed(db, worker)) == 1
    settle(db, taken)
    assert hold(db, "stripe")[0] is not None


def test_a_share_outside_of_jobs_runs_out_by_itself_unless_it_is_kept(db: Conn) -> None:
    rule(db, "key", "stripe", concurrency=1)
    seq, _ = hold(db, "stripe")
    assert db.execute("select pgqueue.keep_hold('stripe', %s, 60)", [seq]).fetchone() == (True,)
    assert hold(db, "stripe")[0] is None
    db.execute("update pgqueue.holds set expires_at = now()")
    assert db.execute("select pgqueue.keep_hold('stripe', %s, 60)", [seq]).fetchone() == (False,)
    assert hold(db, "stripe")[0] is not None


def test_a_share_outside_of_jobs_spends_the_rate(db: Conn) -> None:
    rule(db, "key", "stripe", starts=2, period=60.0)
    enqueue(db, limit_key="stripe")
    assert hold(db, "stripe", cost=2)[0] is not None
    seq, again_at = hold(db, "stripe")
    assert seq is None
    assert again_at is not None
    assert take_keyed(db, enlist(db)) == []


def test_a_key_without_a_rule_is_free(db: Conn) -> None:
    assert hold(db, "anything")[0] == 0
    assert holds(db) == {}
