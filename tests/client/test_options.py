"""Every option, from each way in, arrives at the worker that claims the job."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

import pgqueue
from pgqueue import NewJob
from pgqueue.job import option_names
from pgqueue.store.keys import ABOUT_KEYS
from tests.factories import TARGET, Conn, claim, enlist, step

PAST = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
GIVEN = UUID("0190a0b0-0000-7000-8000-000000000001")


def one(conn: Conn, **options: Any) -> UUID:
    return pgqueue.enqueue(conn, TARGET, **options).id


def of_many(conn: Conn, **options: Any) -> UUID:
    return pgqueue.enqueue_many(conn, [NewJob(TARGET, **options)])[0]


def by_task(conn: Conn, **options: Any) -> UUID:
    return pgqueue.Task(_task).using(**options).enqueue(conn).id


def by_sql(conn: Conn, **options: Any) -> UUID:
    """As from psql: intervals for durations."""
    durations = {"delay", "ttl", "timeout"}
    names = ", ".join(f"{name} => %({name})s" for name in options)
    values = {
        name: timedelta(seconds=value) if name in durations and not isinstance(value, timedelta) else value
        for name, value in options.items()
    }
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in values.items()}
    row = conn.execute(f"select pgqueue.enqueue('{TARGET}', {names})", values).fetchone()
    assert row is not None
    made: UUID = row[0]
    return made


def _task() -> None: ...


WAYS = pytest.mark.parametrize("way", [one, of_many, by_task, by_sql])
Way = Callable[..., UUID]


@WAYS
@pytest.mark.parametrize(
    ("option", "value", "shown"),
    [
        ("queue", "mail", "mail"),
        ("priority", 0, 0),
        ("priority", 9, 9),
        ("run_at", PAST, PAST),
        ("timeout", 90, 90.0),
        ("timeout", timedelta(minutes=1), 60.0),
        ("max_attempts", 32_767, 32_767),
        ("store_result", True, True),
        ("labels", {"a": "ü"}, '{"a": "ü"}'),
    ],
)
def test_an_option_arrives_with_the_claim(db: Conn, way: Way, option: str, value: Any, shown: Any) -> None:
    made = way(db, **{option: value})
    (taken,) = claim(db, enlist(db), 1, "default", "mail")
    assert (taken.id, getattr(taken, option)) == (made, shown)


@WAYS
@pytest.mark.parametrize(
    ("option", "value"), [("unique_key", "k"), ("limit_key", "l"), ("cost", 3), ("labels", {"a": "b"})]
)
def test_an_option_is_shown_with_the_job(db: Conn, way: Way, option: str, value: Any) -> None:
    assert getattr(pgqueue.get_job(db, way(db, **{option: value})), option) == value


@WAYS
def test_a_job_id_is_the_jobs_own(db: Conn, way: Way) -> None:
    assert way(db, job_id=GIVEN) == way(db, job_id=GIVEN) == GIVEN


@WAYS
@pytest.mark.parametrize("delay", [60, timedelta(minutes=1)])
def test_a_delay_counts_from_now(db: Conn, way: Way, delay: Any) -> None:
    job = pgqueue.get_job(db, way(db, delay=delay))
    assert job.run_at is not None
    assert job.created_at is not None
    assert timedelta(seconds=59) < job.run_at - job.created_at < timedelta(seconds=90)


@WAYS
def test_a_ttl_counts_from_when_the_job_falls_due(db: Conn, way: Way) -> None:
    stale = way(db, run_at=PAST, ttl=60)
    fresh = way(db, ttl=60)
    answer = step(db, enlist(db), [], 10)
    assert [each.id for each in answer.expired] == [stale]
    assert [each.id for each in answer.claims] == [fresh]


@pytest.mark.parametrize("way", [one, of_many, by_task])
def test_no_timeout_must_be_said(db: Conn, way: Way) -> None:
    way(db)
    way(db, timeout=math.inf)
    assert {each.timeout for each in claim(db, enlist(db), 10)} == {None, math.inf}


def test_sql_knows_every_option_by_the_same_name(db: Conn) -> None:
    row = db.execute("select proargnames from pg_proc where oid = 'pgqueue.enqueue'::regproc").fetchone()
    assert row is not None
    # What SQL says by the setting pgqueue.notify, for its transaction; not at all; by add_follow_up; by enqueue_unique.
    follow_ups = {"on_success", "on_failure", "on_end", "dead_to"}
    assert set(row[0]) == {"target", "args", *option_names()} - {
        "notify",
        "max_args",
        "unique",
        *follow_ups,
        *ABOUT_KEYS,
    }
