"""What an explanation reads: some ten thousand rows, whatever the tables hold and whatever the planner believes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from tests.explaining.asking import finding, knowing
from tests.factories import Conn
from tests.postgres import Databases
from tests.store.crowds import analyse, crowd
from tests.store.plans import nodes, plans_of, rows_read, scans

# Ten thousand that come before it, and 2,000 at the heads of twenty queues.
MOST = 2 * 10_001 + 5_000
SIZE = 25_000
LAST = "01900000-0003-7000-8000-{:012x}"


@pytest.fixture(scope="module", params=["never", "empty"])
def crowded(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a database with 25,000 jobs in a queue, and what goes with them."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    crowd(dsn, SIZE, 1)
    analyse(dsn, request.param)
    yield dsn
    databases.drop(name)


@pytest.fixture
def crowd_conn(crowded: str) -> Iterator[Conn]:
    with psycopg.connect(crowded) as conn:
        knowing(conn, "shop.tasks:send_0")
        yield conn
        conn.rollback()


def test_the_last_job_of_very_many_is_explained_by_a_bounded_walk(crowd_conn: Conn) -> None:
    row: Any = crowd_conn.execute(
        "select id from pgqueue.jobs where queue = 'q0' and run_at < now() order by run_at desc limit 1"
    ).fetchone()
    _check(crowd_conn, lambda: pgqueue.explain(crowd_conn, row[0]))


@pytest.mark.parametrize("number", [1, 9, 99, 100])
def test_any_job_is_explained_by_a_bounded_walk(crowd_conn: Conn, number: int) -> None:
    _check(crowd_conn, lambda: pgqueue.explain(crowd_conn, UUID(LAST.format(number))))


def test_a_job_that_ended_is_explained_by_primary_keys(crowd_conn: Conn) -> None:
    for table in (1, 2):
        ended = UUID(f"01900000-000{table}-7000-8000-000000000001")
        pgqueue.explain(crowd_conn, ended)
        plans = plans_of(crowd_conn, lambda ended=ended: pgqueue.explain(crowd_conn, ended))
        assert rows_read(plans) <= 30


def test_a_queue_is_explained_by_a_bounded_walk(crowd_conn: Conn) -> None:
    _check(crowd_conn, lambda: pgqueue.explain_queue(crowd_conn, "q0"))


def _check(conn: Conn, act: Any) -> None:
    act()
    plans = plans_of(conn, act)
    assert rows_read(plans) <= MOST
    assert [node for node in scans(plans) if node["Node Type"] not in ("Index Scan", "Index Only Scan")] == []
    assert not [node for plan in plans for node in nodes(plan) if node.get("Workers Launched")]


def test_heads_full_of_dead_rows_are_not_walked(crowd_conn: Conn, crowded: str) -> None:
    """Very many rows lie dead, and this role may not see whether a transaction keeps them from being cleaned away."""
    row: Any = crowd_conn.execute("select id from pgqueue.jobs where run_at < now() order by run_at desc").fetchone()
    crowd_conn.execute("create role onlooker; grant usage on schema pgqueue to onlooker")
    crowd_conn.execute("grant select on all tables in schema pgqueue to onlooker; set local role onlooker")
    assert finding(pgqueue.explain(crowd_conn, row[0]), "behind").holds
    with psycopg.connect(crowded) as other:
        for _ in range(2):
            other.execute("update pgqueue.jobs set priority = priority")
        other.rollback()
        other.execute("select pg_stat_force_next_flush()")
    crowd_conn.execute("select pg_stat_clear_snapshot()")
    found = pgqueue.explain(crowd_conn, row[0])
    assert finding(found, "behind").holds is None
    assert finding(found, "slots_busy").holds is None
    assert finding(found, "horizon").holds is None
