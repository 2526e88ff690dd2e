"""What is done to a workflow reads what it moves, whatever else is there, and whatever the planner believes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.store import execute, jobs, workers, workflows
from tests.factories import TARGET, Conn, claim, enlist, failure, slots, step, success
from tests.postgres import Databases
from tests.store.test_flips import BATCH, BELIEVE, PER_JOB, Plans, rows_of_tables

# Of each workflow a job, two that wait one behind the other, and a dead one; and one workflow with very many of each,
# of which none counts towards anything.
FILL = f"""
create temp table made as
select n, case when n = 1 then '{UUID(int=1)}' else gen_random_uuid() end as id
from generate_series(1, 4000) as n;
insert into pgqueue.workflows (id, name) select id, 'flow ' || n from made;
insert into pgqueue.nodes (workflow_id, node, name, total)
select id, node, 'n' || node, 1 from made, generate_series(1, 4) as node;
insert into pgqueue.gates (workflow_id, gate, unmet, total)
select id, gate, 1, 1 from made, generate_series(1, 2) as gate;
insert into pgqueue.waiting (id, workflow_id, gate, node, target, inputs, success_links, failure_links)
select gen_random_uuid(), id, gate, 1 + gate, '{TARGET}', '{{"x": 1}}', array[gate + 1], array[-gate - 1]
from made, generate_series(1, 2) as gate;
insert into pgqueue.jobs (id, target, workflow_id, node, success_links, failure_links)
select gen_random_uuid(), '{TARGET}', id, 1, '{{1}}', '{{-1}}' from made;
insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, queue, target, args, reason,
                               workflow_id, node, success_links)
select gen_random_uuid(), now(), now(), 1, 5, 1, 0, 'default', '{TARGET}', '{{}}', 'exhausted', id, 4, '{{2}}'
from made;
insert into pgqueue.results (job_id, expires_at, result, workflow_id, node)
select gen_random_uuid(), 'infinity', '1', id, 1 from made, generate_series(1, 2);
insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, workflow_id, node)
select gen_random_uuid(), 1, 1, 'succeeded', 'default', '{TARGET}', id, 4 from made, generate_series(1, 2);
update pgqueue.jobs
set workflow_id = (select id from made where n = 1), success_links = null, failure_links = null,
    run_at = now() + interval '1 hour'
where id in (select id from pgqueue.jobs order by id limit 2000);
update pgqueue.dead_jobs set workflow_id = (select id from made where n = 1), success_links = null
where id in (select id from pgqueue.dead_jobs order by id limit 2000);
update pgqueue.waiting
set workflow_id = (select id from made where n = 1), success_links = null, failure_links = null, gate = 9
where id in (select id from pgqueue.waiting order by id limit 2000)
"""
LARGEST = UUID(int=1)


@pytest.fixture(scope="module")
def crowded(databases: Databases) -> Iterator[str]:
    """The DSN of a database with many workflows, of which the planner knows nothing."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn) as conn:
        for statement in FILL.split(";\n"):
            conn.execute(statement)
        conn.execute(BELIEVE)
    yield dsn
    databases.drop(name)


@pytest.fixture
def deceived(crowded: str) -> Iterator[Conn]:
    """A connection to it; what it does is undone."""
    with psycopg.connect(crowded) as conn:
        yield conn
        conn.rollback()


def adds(conn: Conn, taken: list[Any]) -> None:
    brings = json.dumps({"grafts": [{"jobs": [{"target": TARGET, "own": True}] * 5}]})
    execute(conn, jobs.succeeding(taken[0].worker, taken[0].id, taken[0].claim, "1", brings))


def fold(conn: Conn, _taken: list[Any]) -> None:
    conn.execute(
        "insert into pgqueue.arrivals (workflow_id, gate, n) select id, 1, 1 from pgqueue.workflows limit %s", [BATCH]
    )
    conn.execute("select pgqueue.fold(now())")


MOVES: dict[str, Callable[[Conn, list[Any]], Any]] = {
    "settle": lambda conn, taken: step(conn, taken[0].worker, taken, 0),
    "settle with results": lambda conn, taken: execute(
        conn, jobs.step(taken[0].worker, [success(each, "1") for each in taken], slots(), timedelta(0), BATCH)
    ),
    "fail for good": lambda conn, taken: execute(
        conn, jobs.fail(taken[0].worker, [failure(each, None) for each in taken])
    ),
    "complete": lambda conn, taken: execute(conn, jobs.complete(taken[0], "1")),
    "add": adds,
    "cancel one": lambda conn, taken: execute(conn, jobs.cancel(taken[0].id)),
    "cancel all": lambda conn, _taken: execute(conn, workflows.cancel(LARGEST, BATCH)),
    "retry all": lambda conn, _taken: execute(conn, workflows.retry(LARGEST, BATCH)),
    "fold": fold,
    "tend": lambda conn, _taken: conn.execute("select pgqueue.tend_workflows()"),
    "prune": lambda conn, _taken: execute(conn, workers.prune(timedelta(days=7), timedelta(days=7), BATCH)),
}


@pytest.mark.parametrize("move", MOVES)
def test_no_statistics_make_a_move_of_workflows_read_more_than_it_moves(
    deceived: Conn, plans: Plans, move: str
) -> None:
    worker = enlist(deceived)
    taken = claim(deceived, worker, BATCH)
    assert len(taken) == BATCH
    read = rows_of_tables(plans(deceived, lambda: MOVES[move](deceived, taken)))
    # What is asked of the largest passes by those of it that run; its callbacks are among all its nodes.
    assert {table: rows for table, rows in read.items() if rows > 2 * PER_JOB * BATCH} == {}
