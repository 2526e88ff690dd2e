"""P10: two enqueuers of one unique key, or of one job_id, under each isolation level."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

from pgqueue.ids import new_job_id
from pgqueue.job import NewJob
from pgqueue.store import enqueueing, execute
from tests.factories import TARGET, Conn, claim_one, count, enqueue, settle
from tests.races.interleave import Sides

LEVELS = [IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]


@pytest.fixture(params=["unique_key", "job_id"])
def same(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The option that both enqueuers give."""
    return {"unique_key": "k"} if request.param == "unique_key" else {"job_id": new_job_id()}


@pytest.fixture(params=LEVELS, ids=lambda level: level.name)
def level(request: pytest.FixtureRequest, one: Conn, two: Conn) -> IsolationLevel:
    chosen: IsolationLevel = request.param
    one.isolation_level = two.isolation_level = chosen
    two.execute("select 1")
    return chosen


def test_p10_the_second_waits_and_enqueues_when_the_first_rolls_back(
    db: Conn, one: Conn, two: Conn, sides: Sides, level: IsolationLevel, same: dict[str, Any]
) -> None:
    enqueue(one, **same)
    second = sides.blocked(two, execute, enqueueing.enqueue(NewJob(TARGET, **same)))
    one.rollback()
    made = second.result()
    two.commit()
    assert made.created
    assert db.execute("select id from pgqueue.jobs").fetchall() == [(made.id,)]


def test_p10_the_second_waits_and_finds_the_job_of_the_first(
    db: Conn, one: Conn, two: Conn, sides: Sides, level: IsolationLevel, same: dict[str, Any]
) -> None:
    first = execute(one, enqueueing.enqueue(NewJob(TARGET, **same)))
    second = sides.blocked(two, execute, enqueueing.enqueue(NewJob(TARGET, **same)))
    one.commit()
    if level is IsolationLevel.READ_COMMITTED:
        assert second.result() == (first.id, False)
    else:
        with pytest.raises(psycopg.errors.SerializationFailure):
            second.result()
        two.rollback()
        assert execute(two, enqueueing.enqueue(NewJob(TARGET, **same))) == (first.id, False)
    two.commit()
    assert count(db, "jobs") == 1


def test_p10_the_key_becomes_free_with_the_end_that_commits(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db, unique_key="k")
    settle(one, taken)
    second = sides.blocked(two, execute, enqueueing.enqueue(NewJob(TARGET, unique_key="k")))
    one.commit()
    assert second.result().created
    two.commit()
    assert count(db, "jobs") == 1


def test_p10_the_key_stays_held_by_an_end_that_rolls_back(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db, unique_key="k")
    settle(one, taken)
    second = sides.blocked(two, execute, enqueueing.enqueue(NewJob(TARGET, unique_key="k")))
    one.rollback()
    assert second.result() == (taken.id, False)
    two.commit()


def test_p13_a_job_id_is_found_though_its_job_ends_meanwhile(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    taken = claim_one(db)
    settle(one, taken)
    second = sides.blocked(two, execute, enqueueing.enqueue(NewJob(TARGET, job_id=taken.id)))
    one.commit()
    assert second.result() == (taken.id, False)
    two.commit()
    assert count(db, "jobs") == 0


def test_p1_a_savepoint_that_is_rolled_back_lets_go_of_its_key(db: Conn, one: Conn, two: Conn, sides: Sides) -> None:
    one.execute("savepoint s")
    enqueue(one, unique_key="k")
    second = sides.blocked(two, execute, enqueueing.enqueue(NewJob(TARGET, unique_key="k")))
    one.execute("rollback to s")
    assert second.result().created
    two.commit()
    one.commit()
    assert count(db, "jobs") == 1
