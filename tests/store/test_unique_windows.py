"""P10: a key that is taken for a while, whatever becomes of its job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, jobs, workers
from tests.factories import (
    HOUR,
    Conn,
    claim,
    count,
    enlist,
    enqueue,
    settle,
)
from tests.store.keyed import WAYS, bury, by_any, one


@WAYS
@pytest.mark.parametrize("end", [JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED])
def test_p10_a_window_outlives_the_end_of_its_job(db: Conn, ask: str, end: JobState) -> None:
    options: dict[str, Any] = {"unique_key": "daily", "unique_for": timedelta(days=1)}
    made = by_any(ask, db, **options)
    if end is JobState.CANCELLED:
        execute(db, jobs.cancel(made))
    else:
        (taken,) = claim(db, enlist(db))
        (settle if end is JobState.SUCCEEDED else bury)(db, taken)
    assert by_any(ask, db, **options) == made
    assert count(db, "unique_windows") == 1
    db.execute("update pgqueue.unique_windows set until = clock_timestamp()")
    again = by_any(ask, db, **options)
    assert again != made
    assert by_any(ask, db, **options) == again
    assert db.execute("select job_id from pgqueue.unique_windows").fetchall() == [(again,)]


def test_a_window_counts_from_when_the_job_falls_due(db: Conn) -> None:
    due = datetime.now(UTC) + timedelta(days=2)
    one(db, unique_key="k", unique_for=HOUR, run_at=due)
    assert db.execute("select until from pgqueue.unique_windows").fetchall() == [(due + timedelta(hours=1),)]


def test_a_window_that_begins_while_a_job_has_the_key_is_that_jobs(db: Conn) -> None:
    made = enqueue(db, unique_key="k")
    assert one(db, unique_key="k", unique_for=HOUR) == (made, False)
    (taken,) = claim(db, enlist(db))
    settle(db, taken)
    assert one(db, unique_key="k", unique_for=HOUR) == (made, False)


def test_p1_a_window_ends_with_the_savepoint_that_began_it(db: Conn, conn: Conn) -> None:
    with conn.transaction(force_rollback=True):
        one(conn, unique_key="k", unique_for=HOUR)
    assert one(conn, unique_key="k", unique_for=HOUR).created
    conn.commit()
    assert (count(db, "jobs"), count(db, "unique_windows")) == (1, 1)


def test_windows_that_have_passed_are_pruned_and_no_others(db: Conn) -> None:
    for key in ("a", "b", "c"):
        one(db, unique_key=key, unique_for=HOUR)
    db.execute("update pgqueue.unique_windows set until = now() - interval '1 second' where unique_key <> 'b'")
    assert execute(db, workers.prune(timedelta(days=7), timedelta(days=180))) == 2
    assert db.execute("select unique_key from pgqueue.unique_windows").fetchall() == [("b",)]
