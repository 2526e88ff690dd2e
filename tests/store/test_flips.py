"""No statistics turn a statement of the protocol round: each reads what its batch names, whatever the planner believes.

It believes here that every table has one page and no row, as after a VACUUM of tables that were empty for a moment. A
plan made then stays with its session, however many rows come afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.job import NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.store import by_name, dead, enqueueing, execute, jobs, locks, unknown, workers
from tests.factories import (
    TARGET,
    Conn,
    claim,
    enlist,
    epoch,
    expire,
    failure,
    settle,
    slots,
    success,
)
from tests.postgres import Databases
from tests.store.plans import Plan
from tests.store.test_plans import nodes

ROWS = 60_000
NOW = datetime(2100, 1, 1, tzinfo=UTC)
BATCH = 50
FILL = f"""
insert into pgqueue.jobs (id, queue, run_at, target)
select gen_random_uuid(), (array['default', 'mail', 'web'])[1 + n % 3], now() - n * interval '1 second', '{TARGET}'
from generate_series(1, {ROWS}) as n;
insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)
select gen_random_uuid(), 1, 1, 'succeeded', 'default', '{TARGET}' from generate_series(1, {ROWS});
insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, queue, target, args, reason)
select gen_random_uuid(), now(), now(), 1, 5, 1, 0, 'default', '{TARGET}', '{{}}', 'exhausted'
from generate_series(1, {ROWS});
insert into pgqueue.results (job_id, expires_at, result)
select gen_random_uuid(), now() + interval '1 day', '1' from generate_series(1, {ROWS});
insert into pgqueue.cancellations (job_id) select gen_random_uuid() from generate_series(1, {ROWS});
insert into pgqueue.parked (job_id, claim, target, run_at, since, until)
select gen_random_uuid(), 0, 'nobody:knows', now(), now(), now() + interval '7 days'
from generate_series(1, {ROWS})
"""
BELIEVE = """
update pg_class set reltuples = 0, relpages = 1
where relnamespace = 'pgqueue'::regnamespace and relkind in ('r', 'i')
"""
# A row that a batch names is met by a few parts of a statement; tables that are small are read whole.
PER_JOB = 12
SMALL = {"workers", "queues", "targets", "alembic_version"}
Plans = Callable[[Conn, Callable[[], Any]], list[Plan]]


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[str]:
    """The DSN of a database with many rows in every table, of which the planner knows nothing."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn) as conn:
        conn.execute("alter table pgqueue.jobs set (autovacuum_enabled = off)")
        for statement in FILL.split(";"):
            conn.execute(statement)
        conn.execute(BELIEVE)
    yield dsn
    databases.drop(name)


@pytest.fixture
def deceived(filled: str) -> Iterator[Conn]:
    """A connection to it; what it does is undone."""
    with psycopg.connect(filled) as conn:
        yield conn
        conn.rollback()


def as_failures(taken: list[Any], delay: float | None) -> list[Settlement]:
    return [failure(each, delay) for each in taken]


def as_released(taken: list[Any]) -> list[Settlement]:
    return [Settlement(each.id, each.claim, Move.RELEASE, "released", started=True) for each in taken]


def as_unknown(taken: list[Any]) -> list[Settlement]:
    return [Settlement(each.id, each.claim, Move.PARK, "released", error="no such task") for each in taken]


def waiting(conn: Conn) -> list[Any]:
    return [row[0] for row in conn.execute("select id from pgqueue.jobs where worker is null limit %s", [BATCH])]


def complete(conn: Conn, taken: list[Any]) -> None:
    execute(conn, jobs.complete(taken[0], "1"))


# All the moves of a job, and what any worker does for all.
MOVES: dict[str, Callable[[Conn, list[Any]], Any]] = {
    "claim": lambda conn, taken: claim(conn, taken[0].worker, BATCH),
    "settle": lambda conn, taken: settle(conn, *taken),
    "settle with results": lambda conn, taken: execute(
        conn, jobs.step(taken[0].worker, [success(each, "1") for each in taken], slots(), timedelta(0), 0)
    ),
    "settle late": lambda conn, taken: settle(conn, *(each._replace(claim=each.claim + 1) for each in taken)),
    "fail": lambda conn, taken: execute(conn, jobs.fail(taken[0].worker, as_failures(taken, 1.0))),
    "fail for good": lambda conn, taken: execute(conn, jobs.fail(taken[0].worker, as_failures(taken, None))),
    "release": lambda conn, taken: execute(conn, jobs.release(taken[0].worker, as_released(taken))),
    "park": lambda conn, taken: execute(conn, unknown.park(taken[0].worker, as_unknown(taken))),
    "standing": lambda conn, taken: execute(conn, jobs.standing(taken[0].worker, as_released(taken))),
    "late": lambda conn, taken: execute(conn, jobs.late(taken[0].worker, as_released(taken))),
    "locked": lambda conn, taken: execute(conn, locks.locked(taken[0].worker, [each.id for each in taken])),
    "complete": complete,
    "cancel": lambda conn, taken: [execute(conn, jobs.cancel(each.id)) for each in taken[:5]],
    "claim by name": lambda conn, taken: execute(
        conn,
        by_name.claim(taken[0].worker, waiting(conn), slots(), epoch(conn, taken[0].worker)),
    ),
    "enqueue": lambda conn, taken: execute(
        conn, enqueueing.enqueue_many([NewJob(TARGET, unique_key=f"k{n}") for n in range(BATCH)])
    ),
    "enqueue one": lambda conn, taken: execute(conn, enqueueing.enqueue(NewJob(TARGET, job_id=taken[0].id))),
    "revive": lambda conn, taken: execute(conn, dead.retry_batch("default", None, None, BATCH // 10)),
    "purge": lambda conn, taken: execute(conn, dead.purge_batch("default", None, NOW, None, BATCH // 10)),
    "recall": lambda conn, taken: execute(conn, unknown.recall(taken[0].worker, forget=True)),
    "prune": lambda conn, taken: execute(conn, workers.prune(timedelta(days=7), timedelta(days=7), BATCH)),
    "retry": lambda conn, taken: execute(conn, jobs.retry(taken[0].id)),
}


@pytest.mark.parametrize("move", MOVES)
def test_no_statistics_make_a_move_read_more_than_its_batch(deceived: Conn, plans: Plans, move: str) -> None:
    worker = enlist(deceived)
    taken = claim(deceived, worker, BATCH)
    assert len(taken) == BATCH
    read = rows_of_tables(plans(deceived, lambda: MOVES[move](deceived, taken)))
    assert all(rows <= PER_JOB * BATCH for rows in read.values()), read


def test_no_statistics_make_the_reaper_read_more_than_what_was_held(deceived: Conn, plans: Plans) -> None:
    """Finding it is a search of all pages (searching-for-the-lost.md); what was found is taken back by its ids."""
    worker = enlist(deceived)
    taken = claim(deceived, worker, BATCH)
    deceived.execute(
        "update pgqueue.workers set held = %s, searched = 1000000 where id = %s", [[each.id for each in taken], worker]
    )
    expire(deceived, worker)
    read = rows_of_tables(plans(deceived, lambda: execute(deceived, workers.reap())))
    # And up to a thousand cancellations, each looked at three times.
    assert all(rows <= PER_JOB * BATCH + 3_000 for rows in read.values()), read


def rows_of_tables(plans: list[Plan]) -> dict[str, float]:
    """How many rows of each large table, and of each join, were read."""
    read: dict[str, float] = {}
    for plan in plans:
        for node in nodes(plan):
            loops = node["Actual Loops"]
            if "Scan" in node["Node Type"] and node.get("Relation Name") not in {None, *SMALL}:
                looked = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                read[node["Relation Name"]] = read.get(node["Relation Name"], 0) + looked * loops
    return read
