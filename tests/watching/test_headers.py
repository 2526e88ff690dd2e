"""Headers stay with a job: in the row of its end, of its burial, and of its new life."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.store import execute, jobs
from tests.conftest import Connect
from tests.factories import Conn, claim_one, expire, fail, reap, settle

HEADERS = '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


def headed(conn: Conn, **options: Any) -> Any:
    """A running job that carries headers."""
    taken = claim_one(conn, **options)
    conn.execute("update pgqueue.jobs set headers = %s where id = %s", [HEADERS, taken.id])
    return taken


def found(conn: psycopg.Connection[Any], table: str, job: UUID) -> list[str | None]:
    key = "job_id" if table == "attempts" else "id"
    rows = conn.execute(f"select headers::text from pgqueue.{table} where {key} = %s", [job]).fetchall()
    return [row[0] for row in rows]


def test_a_success_keeps_them_in_history(db: Conn) -> None:
    taken = headed(db)
    settle(db, taken)
    assert found(db, "attempts", taken.id) == [HEADERS]


def test_a_success_in_the_transaction_of_the_task_does_so_too(db: Conn) -> None:
    taken = headed(db)
    assert execute(db, jobs.complete(taken, None))
    assert found(db, "attempts", taken.id) == [HEADERS]


def test_a_failure_leaves_them_with_the_job_that_waits(db: Conn) -> None:
    taken = headed(db)
    fail(db, taken, 60.0)
    assert (found(db, "attempts", taken.id), found(db, "jobs", taken.id)) == ([None], [HEADERS])


def test_a_dead_job_keeps_them_and_has_them_when_it_is_revived(db: Conn) -> None:
    taken = headed(db)
    fail(db, taken, None)
    assert (found(db, "attempts", taken.id), found(db, "dead_jobs", taken.id)) == ([HEADERS], [HEADERS])
    execute(db, jobs.retry(taken.id))
    assert found(db, "jobs", taken.id) == [HEADERS]


def test_a_job_that_is_lost_for_good_keeps_them(db: Conn) -> None:
    taken = headed(db, max_attempts=1)
    expire(db, taken.worker)
    reap(db)
    assert (found(db, "attempts", taken.id), found(db, "dead_jobs", taken.id)) == ([HEADERS], [HEADERS])
