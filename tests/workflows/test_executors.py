"""Workflows under real workers, whichever way these run jobs."""

from __future__ import annotations

import time

import pytest

import pgqueue
from pgqueue.events import WorkerStopping
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.running import ThreadedWorker
from tests.workflows.looking import states
from tests.workflows.shop_tasks import add, gather, gather_later, grow_chain, grow_later, grow_within, note, ran, total

NODES = {"grow_chain", "grow_within", "grow_later", "many", "total", "gather", "gather_later", "note", "on_end"}


@pytest.mark.parametrize("executor", ["thread", "process", "async"])
def test_workflow_runs_to_its_end(dsn: str, connect: Connect, executor: str) -> None:
    conn = connect(autocommit=True)
    flow = pgqueue.Workflow("all kinds")
    tasks = [grow_later, gather_later] if executor == "async" else [grow_chain, grow_within, grow_later, gather_later]
    growing = [flow.add(task, 1) for task in tasks if task is not gather_later]
    kept = add.using(store_result=True)
    many = flow.add(pgqueue.group([kept.job(n, 1) for n in range(20)], name="many"), after=growing)
    flow.add(total, many.result)
    flow.add(gather_later, "many", after=many)
    if executor != "async":
        flow.add(gather, "many", after=many)
    flow.add(note, "repaired", name="note", after=many)
    flow.on_end(note, "end")
    started = flow.enqueue(conn)
    worker = ThreadedWorker(dsn, executor=executor, app=["tests.workflows.shop_tasks"], burst=True, concurrency=4)
    worker.join()
    found = states(conn, started.id)
    assert {name for name in NODES if name in found} >= {"many", "total", "gather_later", "on_end"}
    assert {each for several in found.values() for each in several} == {"succeeded"}
    assert len(found["grow_later"]) == 2


def test_a_burst_ends_no_sooner_than_what_its_last_ends_let_begin(dsn: str, connect: Connect) -> None:
    """Somebody else has the gate in hand while the members end: what they count is taken up once it is free."""
    conn, other = connect(autocommit=True), connect()
    started = pgqueue.group([note.job(n) for n in range(3)], then=note.job("then")).enqueue(conn)
    other.execute("select from pgqueue.gates for update")
    worker = ThreadedWorker(dsn, executor="thread", app=["tests.workflows.shop_tasks"], burst=True, concurrency=1)
    wait_until(lambda: conn.execute("select count(*) = 3 from pgqueue.attempts").fetchone() == (True,))
    time.sleep(0.5)
    assert not worker.heard(WorkerStopping)
    assert pgqueue.get_workflow(conn, started.id).state == "running"
    other.rollback()
    assert worker.join() == 0
    assert pgqueue.get_workflow(conn, started.id).state == "succeeded"
    assert ran[-1] == ("note", "then")
