"""How workflows stand, as people and code read it: states, counts, nodes, and what each question may cost."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

import pgqueue
from pgqueue.errors import OptionError, UsageError, WorkflowNotFound
from pgqueue.ids import new_job_id
from pgqueue.record import WorkflowState
from tests.conftest import Connect
from tests.factories import Conn
from tests.scenes import failed, order
from tests.store.flows import bury, cancel_all, chain, chord, job, retry_all, run, taken, write


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    return connect(autocommit=True)


def how(conn: Conn, flow: Any) -> str:
    return str(pgqueue.get_workflow(conn, flow.id).state)


def test_a_workflow_runs_until_its_last_job_has_succeeded(db: Conn) -> None:
    flow = chain(db, 2)
    assert how(db, flow) == "running"
    run(db, flow, "1")
    assert how(db, flow) == "running"
    (held,) = taken(db, flow, "2")
    row = pgqueue.get_workflow(db, str(flow.id))
    assert (row.total, row.running, row.pending, row.waiting, row.succeeded) == (2, 1, 0, 0, 1)
    db.execute("update pgqueue.jobs set worker = null where id = %s", [held.id])
    run(db, flow, "2")
    assert how(db, flow) == "succeeded"


def test_it_has_failed_once_nothing_can_run_behind_what_is_dead(db: Conn) -> None:
    flow = order(db)
    run(db, flow, "stock", "risk", "thumb1", "thumb2")
    bury(db, flow, "thumb3")
    assert how(db, flow) == "running"
    bury(db, flow, "ship")
    run(db, flow, "refund")
    assert how(db, flow) == "failed"
    retry_all(db, flow)
    assert how(db, flow) == "running"


def test_what_is_dead_and_was_repaired_or_was_optional_fails_nothing(db: Conn) -> None:
    members = {"a": job(off=[1]), "repair": job(1), "b": job()}
    nodes = {1: {"name": "a"}, 2: {"name": "repair", "optional": True, "repairs": [1]}, 3: {"optional": True}}
    flow = write(db, members, {1: 1}, nodes)
    bury(db, flow, "a", "b")
    assert how(db, flow) == "running"
    run(db, flow, "repair")
    assert how(db, flow) == "succeeded"
    other = write(db, members, {1: 1}, nodes)
    bury(db, other, "a", "b")
    bury(db, other, "repair")
    assert how(db, other) == "failed"


def test_what_was_called_off_is_cancelled_unless_it_was_optional(db: Conn) -> None:
    asked = chain(db, 3)
    cancel_all(db, asked)
    assert how(db, asked) == "cancelled"
    member = write(db, {"a": job(), "b": job()}, {})
    pgqueue.cancel(db, member.jobs["a"])
    run(db, member, "b")
    assert how(db, member) == "cancelled"
    branch = write(
        db, {"a": job(on=[-1], off=[1]), "b": job(1)}, {1: 1}, {1: {}, 2: {"optional": True, "repairs": [1]}}
    )
    run(db, branch, "a")
    assert how(db, branch) == "succeeded"


def test_a_group_that_is_open_runs(db: Conn) -> None:
    flow = write(db, {"a": job(on=[1])}, {1: 2}, {1: {"open": True, "success_links": [1], "total": 1}})
    run(db, flow, "a")
    assert how(db, flow) == "running"
    (node,) = pgqueue.workflow_nodes(db, flow.id)
    assert node.state == "open"


def test_nodes_say_where_their_jobs_are_and_what_became_of_them(db: Conn) -> None:
    flow = failed(db)
    nodes = {node.name: node for node in pgqueue.workflow_nodes(db, flow.id)}
    assert list(nodes) == ["stock", "risk", "ship", "audit", "thumbs", "publish", "refund"]
    assert {name: node.state for name, node in nodes.items()} == {
        "stock": "succeeded",
        "risk": "succeeded",
        "ship": "dead",
        "audit": "waiting",
        "thumbs": "dead",
        "publish": "waiting",
        "refund": "succeeded",
    }
    assert (nodes["ship"].needs, nodes["refund"].repairs) == ([1, 2], [3])
    assert (nodes["ship"].error, nodes["ship"].dead_id) == ("builtins.OSError: no route", flow.jobs["ship"])
    thumbs = nodes["thumbs"]
    assert (thumbs.total, thumbs.succeeded, thumbs.dead, thumbs.ended) == (3, 2, 1, 3)
    assert thumbs.dead_id == flow.jobs["thumb3"]
    assert nodes["stock"].finished_at is not None
    assert [node.name for node in pgqueue.workflow_nodes(db, flow.id, after=2, limit=2)] == ["ship", "audit"]
    assert pgqueue.workflow_nodes(db, uuid4()) == []


def test_what_was_added_to_a_node_counts_as_its_own(db: Conn) -> None:
    flow = write(
        db, {"a": job(), "b": job(node=1_000_001)}, {}, {1: {"total": 1}, 1_000_001: {"extends": 1, "total": 1}}
    )
    run(db, flow, "a")
    (node,) = pgqueue.workflow_nodes(db, flow.id)
    assert (node.total, node.succeeded, node.ready) == (2, 1, 1)
    assert pgqueue.get_workflow(db, flow.id).nodes == 1


def test_workflows_are_listed_by_state_and_name_page_by_page(db: Conn) -> None:
    flows = [chain(db, 1, name=f"order {n}") for n in range(4)]
    bad = failed(db, "shipment 1")
    run(db, flows[0], "1")
    assert [row.id for row in pgqueue.list_workflows(db)] == [bad.id, *(flow.id for flow in reversed(flows))]
    assert [row.id for row in pgqueue.list_workflows(db, state="failed")] == [bad.id]
    assert [row.id for row in pgqueue.list_workflows(db, state=WorkflowState.SUCCEEDED)] == [flows[0].id]
    assert [row.name for row in pgqueue.list_workflows(db, name="order*", limit=2)] == ["order 3", "order 2"]
    assert [row.name for row in pgqueue.list_workflows(db, name="order*", before=flows[2].id)] == ["order 1", "order 0"]
    assert pgqueue.list_workflows(db, state="failed", name="order*") == []
    with pytest.raises(OptionError, match="state must be one of running, succeeded, failed, cancelled, got 'dead'"):
        pgqueue.list_workflows(db, state="dead")
    with pytest.raises(OptionError, match="name must be a text"):
        pgqueue.list_workflows(db, name="\0")
    with pytest.raises(UsageError, match="workflow must be a uuid"):
        pgqueue.get_workflow(db, "order 42")
    with pytest.raises(WorkflowNotFound):
        pgqueue.get_workflow(db, new_job_id())


async def _asked(dsn: str, flow: Any) -> tuple[Any, Any, Any]:
    async with await psycopg.AsyncConnection.connect(dsn) as conn:
        one = await pgqueue.get_workflow(conn, flow.id)
        return one, await pgqueue.list_workflows(conn), await pgqueue.workflow_nodes(conn, flow.id)


def test_async_code_reads_the_same(db: Conn, dsn: str) -> None:
    import asyncio

    flow = chord(db, 2)
    one, listed, nodes = asyncio.run(_asked(dsn, flow))
    assert one == pgqueue.get_workflow(db, flow.id)
    assert [row.id for row in listed] == [flow.id]
    assert nodes == pgqueue.workflow_nodes(db, flow.id)


def test_views_have_what_the_functions_say(db: Conn) -> None:
    flow = failed(db)
    assert db.execute("select name, state, total, dead from pgqueue.workflow").fetchall() == [
        ("order 42", "failed", 9, 2)
    ]
    rows = db.execute(
        "select name from pgqueue.workflow_nodes where workflow_id = %s and state = 'dead' order by node", [flow.id]
    )
    assert rows.fetchall() == [("ship",), ("thumbs",)]


def test_where_more_jobs_wait_than_are_counted_that_is_said(db: Conn) -> None:
    flow = chord(db, 1200)
    (row,) = pgqueue.list_workflows(db)
    assert (row.exact, row.succeeded, row.pending) == (False, None, 1000)
    assert pgqueue.get_workflow(db, flow.id).pending == 1200
    found = db.execute(
        "select state, exact, succeeded from pgqueue.workflow_node_states(%s, 0, 10, 100) where node = 1", [flow.id]
    ).fetchone()
    assert found == ("ready", False, None)


def test_a_question_about_one_workflow_reads_nothing_of_others(db: Conn) -> None:
    """Of jobs without a workflow, too: with the statistics of empty tables."""
    flow = failed(db)
    db.execute("analyze pgqueue.jobs, pgqueue.nodes, pgqueue.waiting, pgqueue.dead_jobs, pgqueue.gates")
    db.execute(
        """
        insert into pgqueue.jobs (id, target, queue) select gen_random_uuid(), 'a:b', 'other'
        from generate_series(1, 20000)
        """
    )
    db.execute(
        """
        insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, target, queue, args, attempt, crashes,
                                       reason)
        select id, run_at, created_at, claim, priority, target, queue, args, 0, 0, 'x'
        from pgqueue.jobs where queue = 'other'
        """
    )
    for sql in (
        "select * from pgqueue.workflow_state('{0}', null)",
        "select * from pgqueue.workflow_counts('{0}', 100000)",
        "select * from pgqueue.workflow_node_states('{0}', 0, 1000, 100000)",
        "select * from pgqueue.workflows_with_dead(null, 1000)",
        "select * from pgqueue.workflows_stuck(1000)",
        "select pgqueue.owing('{0}', 4, 2, 10)",
    ):
        assert _read(db, sql.format(flow.id)) < 300, sql


def _read(conn: Conn, sql: str) -> int:
    """Buffers that a statement touches."""
    conn.execute(sql)
    row = conn.execute(f"explain (analyze, buffers, format json) {sql}").fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
