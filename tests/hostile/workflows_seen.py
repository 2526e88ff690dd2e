"""What is asked of workflows that stand in some state, on any connection; and one is resumed at a pace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

import pgqueue
from pgqueue.job import NewJob
from pgqueue.record import WorkflowState
from pgqueue.store import execute, explaining, reports, workflow_reading, workflow_results, workflow_steering, workflows
from pgqueue.store.workflow_reading import Asked
from tests import factories
from tests.scenes import failed
from tests.store.flows import Flow

Conn = psycopg.Connection[Any]


def workflows_seen_on(conn: Conn) -> None:
    """One that failed is looked at in every way that the command line and the pages have."""
    flow = failed(conn)
    asked_on(conn, flow)
    for state in (None, *WorkflowState):
        execute(conn, workflow_reading.page(Asked(state=state, name="order*")))
        execute(conn, workflow_reading.end(Asked(state=state)))
    assert execute(conn, workflow_reading.failed()) > 0
    assert execute(conn, workflow_reading.picture(flow.id, 200))
    assert execute(conn, workflow_reading.of_job(flow.jobs["ship"])) is not None
    assert execute(conn, workflow_reading.ids_between(UUID(int=0), flow.id))[1] is not None
    assert execute(conn, explaining.job(flow.jobs["audit"])) is not None
    for sql in ("select * from pgqueue.workflows_stuck(10)", "select * from pgqueue.bad_workflows(now())"):
        conn.execute(sql)
    with conn.transaction():
        execute(conn, workflow_steering.ask_alone(flow.id, execute(conn, reports.now())))
        assert execute(conn, workflows.retry(flow.id, 1)) == 1
        execute(conn, workflow_steering.unasked(flow.id))


def workflows_written_on(conn: Conn) -> None:
    """Some are enqueued, by a few rows and by many, added to, waited for and called off by code."""
    job = NewJob(factories.TARGET)
    chain = pgqueue.chain(job, job).enqueue(conn)
    pgqueue.group([job] * 1000, then=job).enqueue(conn)
    group = pgqueue.open_group(conn, "import 7", on_success=job)
    group.add(conn, job)
    pgqueue.open_group(conn, "part", inside=group).close(conn)
    group.close(conn)
    assert pgqueue.get_workflow(conn, chain).state == "running"
    assert pgqueue.list_workflows(conn, name="import*")[0].id == group.id
    assert len(pgqueue.workflow_nodes(conn, chain)) == 2
    assert pgqueue.cancel_workflow(conn, chain) > 0
    execute(conn, workflow_results.gathered(chain.id, None, workflow_results.FIRST))


def asked_on(conn: Conn, flow: Flow) -> None:
    """It is asked by code."""
    assert pgqueue.get_workflow(conn, flow.id).state == "failed"
    assert flow.id in {row.id for row in pgqueue.list_workflows(conn, state="failed", name="order*")}
    assert len(pgqueue.workflow_nodes(conn, flow.id)) == 7
    assert conn.execute("select * from pgqueue.workflow").fetchall()
    assert conn.execute("select * from pgqueue.workflow_nodes").fetchall()
