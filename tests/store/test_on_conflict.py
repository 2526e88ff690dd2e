"""P10: what becomes of a call whose unique key is taken: kept, replaced, raised."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

import pgqueue
from pgqueue.job import JobState, NewJob
from pgqueue.store import enqueueing, execute
from tests.factories import (
    HOUR,
    TARGET,
    Conn,
    claim,
    count,
    enlist,
    enqueue,
    job,
    outcomes,
    settle,
    state,
)
from tests.store.keyed import UNTIL_START, WAYS, by_any, one
from tests.store.test_unknown import knowing, park


@WAYS
def test_a_job_that_waits_takes_what_a_later_call_says(db: Conn, ask: str) -> None:
    first = by_any(ask, db, [1], unique_key="k", priority=2, max_attempts=3, labels={"a": "1"})
    due = job(db, first).run_at
    options: dict[str, Any] = {"unique_key": "k", "on_conflict": "replace"}
    assert by_any(ask, db, [2], priority=8, timeout=9, **options) == first
    found = job(db, first)
    assert (found.args, found.priority, found.max_attempts, found.labels) == ([2], 8, 3, {"a": "1"})
    assert found.run_at == due
    (taken,) = claim(db, enlist(db))
    assert (taken.id, taken.args, taken.timeout) == (first, "[2]", 9)


def test_the_answer_tells_what_was_done(db: Conn) -> None:
    options: dict[str, Any] = {"unique_key": "k", "on_conflict": "replace"}
    first = one(db, [1], **options)
    second = one(db, [2], **options)
    claim(db, enlist(db))
    third = one(db, [3], **options)
    assert [(each.created, each.replaced) for each in (first, second, third)] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert second == (first.id, False)
    assert job(db, first.id).args == [2]
    copy = pickle.loads(pickle.dumps(second))
    assert (copy, copy.replaced) == (second, True)


def test_p10_what_runs_is_not_replaced_and_until_its_start_another_job_follows(db: Conn) -> None:
    options = {**UNTIL_START, "on_conflict": "replace"}
    first = one(db, [1], **options)
    (taken,) = claim(db, enlist(db))
    second = one(db, [2], **options)
    assert one(db, [3], **options).replaced
    assert (taken.id, second.created, job(db, second.id).args) == (first.id, True, [3])


def test_a_debounce_moves_run_at_no_further_than_max_wait(db: Conn) -> None:
    options: dict[str, Any] = {"unique_key": "k", "on_conflict": "replace", "delay": 30}
    first = one(db, **options).id
    waits = []
    for _ in range(4):
        # As if a quarter of a minute had passed.
        db.execute(
            "update pgqueue.jobs set (created_at, run_at) = (created_at - interval '15 s', run_at - interval '15 s')"
        )
        assert one(db, **options).replaced
        waits.append(_wait(db, first))
    assert 45 <= waits[0] < 50
    assert waits[1:] == [60, 60, 60]


def test_what_is_replaced_comes_earlier_or_at_any_moment_that_is_said(db: Conn) -> None:
    options: dict[str, Any] = {"unique_key": "k", "on_conflict": "replace"}
    first = one(db, delay=50, **options).id
    one(db, delay=5, **options)
    assert 5 <= _wait(db, first) < 10
    one(db, run_at=datetime.now(UTC) + timedelta(days=3), **options)
    assert _wait(db, first) > 48 * HOUR
    one(db, delay=0, **options)
    assert state(db, first) is JobState.READY


def _wait(db: Conn, made: UUID) -> float:
    found = job(db, made)
    assert found.run_at is not None
    assert found.created_at is not None
    return (found.run_at - found.created_at).total_seconds()


def test_a_throttle_leaves_run_at_where_it_is_and_takes_the_latest_arguments(db: Conn) -> None:
    options: dict[str, Any] = {"unique_key": "k", "on_conflict": "replace", "delay": HOUR, "max_wait": 0}
    first = one(db, [1], **options).id
    due = job(db, first).run_at
    assert one(db, [2], **options).replaced
    assert (job(db, first).run_at, job(db, first).args) == (due, [2])


def test_a_ttl_moves_with_run_at(db: Conn) -> None:
    options: dict[str, Any] = {"unique_key": "k", "on_conflict": "replace", "max_wait": 10 * HOUR}
    one(db, delay=HOUR, ttl=60, **options)
    one(db, delay=2 * HOUR, **options)
    assert db.execute("select expires_at - run_at from pgqueue.jobs").fetchall() == [(timedelta(seconds=60),)]
    one(db, ttl=90, **options)
    assert db.execute("select expires_at - run_at from pgqueue.jobs").fetchall() == [(timedelta(seconds=90),)]


def test_a_parked_job_that_is_replaced_is_back_at_its_place(db: Conn) -> None:
    made = enqueue(db, unique_key="k")
    due = job(db, made).run_at
    park(db, *claim(db, knowing(db, "blog")))
    assert job(db, made).run_at != due
    assert one(db, [2], unique_key="k", on_conflict="replace").replaced
    assert (job(db, made).run_at, count(db, "parked")) == (due, 0)


@WAYS
@pytest.mark.parametrize(
    "options",
    [{"unique_key": "k"}, UNTIL_START, {"unique_key": "k", "unique_for": HOUR}, {"unique": "args"}],
    ids=["end", "start", "for", "args"],
)
def test_a_key_that_is_taken_can_be_an_error_that_names_the_job(
    db: Conn, conn: Conn, ask: str, options: dict[str, Any]
) -> None:
    options = {**options, "on_conflict": "raise"}

    def call() -> UUID:
        if ask == "one":
            return pgqueue.enqueue(conn, TARGET, [1], **options).id
        return pgqueue.enqueue_many(conn, [NewJob(TARGET, [1], **options), NewJob(TARGET, unique_key="a")])[0]

    made = call()
    with pytest.raises(pgqueue.KeyTaken, match=f"is taken by job {made}") as taken, conn.transaction():
        call()
    assert taken.value.job_id == made
    assert pickle.loads(pickle.dumps(taken.value)).job_id == made
    conn.commit()
    assert count(db, "jobs") == (1 if ask == "one" else 2)


def test_a_batch_of_which_one_raises_leaves_nothing(db: Conn) -> None:
    enqueue(db, unique_key="k")
    batch = [NewJob(TARGET), NewJob(TARGET, unique_key="a"), NewJob(TARGET, unique_key="k", on_conflict="raise")]
    with pytest.raises(pgqueue.KeyTaken):
        pgqueue.enqueue_many(db, batch)
    assert count(db, "jobs") == 1


@WAYS
def test_p13_the_same_call_with_the_same_id_finds_its_own_job_and_raises_nothing(db: Conn, ask: str) -> None:
    options = {"unique_key": "k", "unique_for": HOUR, "on_conflict": "raise", "job_id": uuid4()}
    made = by_any(ask, db, **options)
    assert by_any(ask, db, **options) == made == options["job_id"]
    (taken,) = claim(db, enlist(db))
    settle(db, taken)
    assert by_any(ask, db, **options) == made
    assert outcomes(db, made) == ["succeeded"]


def test_one_key_many_times_in_a_batch_is_one_job(db: Conn) -> None:
    given = uuid4()
    batch = [
        NewJob(TARGET, [1], **UNTIL_START),
        NewJob(TARGET, [2], **UNTIL_START, on_conflict="replace"),
        NewJob(TARGET, [3], **UNTIL_START, job_id=given, on_conflict="replace"),
        NewJob(TARGET, [4], unique_key="j", job_id=uuid4()),
        NewJob(TARGET, [5]),
    ]
    ids = execute(db, enqueueing.enqueue_many(batch))
    assert (len(set(ids)), len(set(ids[:3]))) == (3, 1)
    assert job(db, ids[0]).args == [3]
    assert count(db, "jobs") == 3


def test_a_call_that_wants_no_notification_sends_none(db: Conn) -> None:
    db.execute("listen pgqueue")
    db.execute("set pgqueue.notify = 'always'")
    one(db, **UNTIL_START, notify="off")
    execute(db, enqueueing.enqueue_many([NewJob(TARGET, unique_key="j", unique_until="start", notify="off")]))
    assert list(db.notifies(timeout=0.02)) == []
    one(db, unique_key="i", unique_until="start")
    assert len(list(db.notifies(timeout=1, stop_after=1))) == 1
