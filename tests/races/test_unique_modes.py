"""P10: two calls with one key, whatever they say of it: each isolation level, end of the first, alone or in bulk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import IsolationLevel

from pgqueue.job import NewJob
from pgqueue.store import enqueueing, execute
from tests.factories import HOUR, TARGET, Conn, claim, count, enlist, job, settle
from tests.races.interleave import Sides
from tests.races.test_unique_keys import LEVELS

Ask = Callable[..., UUID]

MODES: dict[str, dict[str, Any]] = {
    "until start": {"unique_key": "k", "unique_until": "start"},
    "for a while": {"unique_key": "k", "unique_for": HOUR},
    "of arguments": {"unique": "args"},
    "replace": {"unique_key": "k", "on_conflict": "replace"},
    "replace until start": {"unique_key": "k", "unique_until": "start", "on_conflict": "replace"},
    "raise": {"unique_key": "k", "on_conflict": "raise"},
}


def single(conn: Conn, **options: Any) -> UUID:
    return execute(conn, enqueueing.enqueue(NewJob(TARGET, [1], **options))).id


def bulk(conn: Conn, **options: Any) -> UUID:
    batch = [NewJob(TARGET, queue="other", delay=HOUR), NewJob(TARGET, [1], **options)]
    return execute(conn, enqueueing.enqueue_many(batch))[1]


@pytest.fixture(params=[single, bulk], ids=["single", "bulk"])
def ask(request: pytest.FixtureRequest) -> Ask:
    chosen: Ask = request.param
    return chosen


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LEVELS, ids=lambda level: level.name)
def level(request: pytest.FixtureRequest, one: Conn, two: Conn) -> IsolationLevel:
    chosen: IsolationLevel = request.param
    one.isolation_level = two.isolation_level = chosen
    two.execute("select 1")
    return chosen


def live(db: Conn) -> list[UUID]:
    return [row[0] for row in db.execute("select id from pgqueue.jobs where queue = 'default'")]


def test_p10_the_second_waits_and_enqueues_when_the_first_rolls_back(
    db: Conn, one: Conn, two: Conn, sides: Sides, level: IsolationLevel, mode: str, ask: Ask
) -> None:
    first = single(one, **MODES[mode])
    second = sides.blocked(two, lambda conn: ask(conn, **MODES[mode]))
    one.rollback()
    made = second.result()
    two.commit()
    assert made != first
    assert live(db) == [made]


def test_p10_the_second_waits_and_finds_the_job_of_the_first(
    db: Conn, one: Conn, two: Conn, sides: Sides, level: IsolationLevel, mode: str, ask: Ask
) -> None:
    first = single(one, **MODES[mode])
    second = sides.blocked(two, lambda conn: ask(conn, **MODES[mode]))
    one.commit()
    if level is not IsolationLevel.READ_COMMITTED:
        with pytest.raises(psycopg.errors.SerializationFailure):
            second.result()
        two.rollback()
    if mode == "raise":
        with pytest.raises(psycopg.errors.UniqueViolation, match=str(first)):
            second.result() if level is IsolationLevel.READ_COMMITTED else ask(two, **MODES[mode])
        two.rollback()
    elif level is IsolationLevel.READ_COMMITTED:
        assert second.result() == first
    else:
        assert ask(two, **MODES[mode]) == first
    two.commit()
    assert live(db) == [first]


def test_p10_two_batches_of_the_same_keys_do_not_deadlock(
    db: Conn, one: Conn, two: Conn, three: Conn, sides: Sides, mode: str
) -> None:
    if mode == "of arguments":
        batch = [NewJob(TARGET, [number], unique="args") for number in range(3)]
        single(three, unique="args")
    else:
        batch = [NewJob(TARGET, **{**MODES[mode], "unique_key": key}) for key in "akz"]
        single(three, **MODES[mode])
    first = sides.blocked(one, execute, enqueueing.enqueue_many(batch))
    second = sides.blocked(two, execute, enqueueing.enqueue_many(batch[::-1]))
    three.rollback()
    waiting, late = (two, second) if _ended(first) else (one, first)
    (one if waiting is two else two).commit()
    if mode == "raise":
        with pytest.raises(psycopg.errors.UniqueViolation):
            late.result()
        waiting.rollback()
    else:
        assert sorted(first.result()) == sorted(second.result())
        waiting.commit()
    assert count(db, "jobs") == 3


def _ended(future: Any) -> bool:
    try:
        future.result(timeout=0.3)
    except TimeoutError:
        return False
    return True


def test_p10_a_job_that_counts_on_a_waiting_one_keeps_its_start_until_both_have_committed(
    db: Conn, one: Conn, two: Conn, level: IsolationLevel, ask: Ask
) -> None:
    """Else its run might not see what they have written. Neither waits for the other."""
    options = MODES["until start"]
    made = single(db, **options)
    two.rollback()
    worker = enlist(db)
    assert ask(one, **options) == made
    assert claim(db, worker) == []
    assert ask(two, **options) == made
    one.commit()
    assert claim(db, worker) == []
    two.rollback()
    assert [taken.id for taken in claim(db, worker)] == [made]


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("on_conflict", ["keep", "replace"])
def test_p10_a_call_that_meets_a_start_waits_for_its_commit(
    db: Conn, one: Conn, two: Conn, sides: Sides, level: IsolationLevel, ask: Ask, end: str, on_conflict: str
) -> None:
    options = {**MODES["until start"], "on_conflict": on_conflict}
    made = single(db, **options)
    worker = enlist(db)
    two.rollback()
    two.execute("select 1 from pgqueue.jobs").fetchall()
    one.rollback()
    one.isolation_level = IsolationLevel.READ_COMMITTED
    assert [taken.id for taken in claim(one, worker)] == [made]
    second = sides.blocked(two, lambda conn: ask(conn, **options))
    getattr(one, end)()
    follows = second.result()
    two.commit()
    assert (follows == made) is (end == "rollback")
    assert sorted(live(db)) == sorted({made, follows})


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_what_replaces_a_job_that_starts_meanwhile_changes_nothing(
    db: Conn, one: Conn, two: Conn, sides: Sides, end: str
) -> None:
    options = MODES["replace"]
    made = single(db, **options)
    claim(one, enlist(db))
    new = NewJob(TARGET, [2], **options)
    second = sides.blocked(two, execute, enqueueing.enqueue(new))
    getattr(one, end)()
    assert second.result().replaced is (end == "rollback")
    two.commit()
    assert job(db, made).args == ([1] if end == "commit" else [2])


def test_two_that_replace_one_job_do_so_one_after_the_other(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    options = MODES["replace until start"]
    made = single(db, **options)
    execute(one, enqueueing.enqueue(NewJob(TARGET, [2], **options)))
    second = sides.blocked(two, execute, enqueueing.enqueue(NewJob(TARGET, [3], **options)))
    assert claim(db, enlist(db)) == []
    one.commit()
    assert second.result().replaced
    assert claim(db, enlist(db)) == []
    two.commit()
    assert job(db, made).args == [3]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_p10_the_next_window_begins_once(db: Conn, one: Conn, two: Conn, sides: Sides, ask: Ask, end: str) -> None:
    options = MODES["for a while"]
    single(db, **options)
    (taken,) = claim(db, enlist(db))
    settle(db, taken)
    db.execute("update pgqueue.unique_windows set until = clock_timestamp()")
    first = single(one, **options)
    second = sides.blocked(two, lambda conn: ask(conn, **options))
    getattr(one, end)()
    found = second.result()
    two.commit()
    assert (found == first) is (end == "commit")
    assert live(db) == [found]


def test_calls_within_a_window_wait_for_nobody(db: Conn, one: Conn, two: Conn) -> None:
    options = MODES["for a while"]
    made = single(db, **options)
    (taken,) = claim(db, enlist(db))
    settle(db, taken)
    assert single(one, **options) == single(two, **options) == made
