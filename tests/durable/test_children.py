"""Children of a workflow: brought once, waited for without a slot, and cancelled with their parent."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.durable import tasks
from tests.durable.conftest import Conn
from tests.worker.running import ONE_KIND, Desk, StartThreaded

TASKS = "tests.durable.tasks"


@pytest.mark.parametrize("kind", ONE_KIND)
def test_children_are_waited_for_and_answer_in_order(start: StartThreaded, desk: Desk, kind: str) -> None:
    start(executor=kind, app=[TASKS], concurrency=2)
    job = desk.send(f"{TASKS}:parent", list(range(30)))
    assert desk.await_state(job, timeout=30).state == "succeeded"
    assert pgqueue.result(desk.conn, job) == [42, *(2 * n for n in range(30))]
    assert desk.one("select count(*) from pgqueue.lineage where how = 'child'") == 31
    # It is not woken for each of them.
    assert len(desk.outcomes(job)) <= 6


def test_a_child_that_fails_raises_in_its_parent(conn: Conn) -> None:
    job = tasks.parent.enqueue(conn, [1, -1])
    *_, last = drain(conn, raises=False)
    assert last.id == job.id
    assert "JobFailed" in str(last.message)
    again = tasks.parent.enqueue(conn, [-1], forgiving=True)
    # The first one may be due for its next attempt by now.
    *_, last = [each for each in drain(conn, raises=False) if each.id == again.id]
    assert last.value[0] == 42
    assert last.value[1].startswith("JobFailed('job ")


def test_a_retried_parent_brings_nobody_a_second_time(conn: Conn) -> None:
    tasks.parent.enqueue(conn, [-1])
    drain(conn, raises=False)
    before = conn.execute("select count(*) from pgqueue.lineage").fetchone()
    for (job,) in conn.execute("select id from pgqueue.dead_jobs where target like '%parent'").fetchall():
        pgqueue.retry(conn, job)
    drain(conn, raises=False)
    assert conn.execute("select count(*) from pgqueue.lineage").fetchone() == before


@pytest.mark.parametrize("how", ["dead", "cancelled"])
def test_children_are_cancelled_when_their_parent_ends_without_success(conn: Conn, how: str) -> None:
    job = tasks.bad_parent.enqueue(conn)
    drain(conn, raises=False)
    if how == "cancelled":
        pgqueue.retry(conn, job)
        pgqueue.cancel(conn, job)
    conn.execute("select pgqueue.reap()")
    children = dict(
        conn.execute(
            "select l.how, j.state from pgqueue.lineage as l join pgqueue.job as j on j.id = l.job_id"
        ).fetchall()
    )
    assert children == {"child": "cancelled", "detached": "scheduled"}
    assert conn.execute("select count(*) from pgqueue.abandoned").fetchone() == (0,)


def test_children_of_many_are_cancelled_in_slices(conn: Conn) -> None:
    job = tasks.patient.enqueue(conn)
    drain(conn)
    conn.execute(
        "insert into pgqueue.lineage (job_id, parent_id, root_id, nth, depth, how)"
        " select pgqueue.enqueue('shop:x', '{}', delay => '1 hour'), %(job)s, %(job)s, n, 1, 'child'"
        " from generate_series(1, 450) as n",
        {"job": job.id},
    )
    conn.execute('update pgqueue.jobs set follow_ups = \'[{"on":"end","durable":{}}]\' where id = %s', [job.id])
    pgqueue.cancel(conn, job)
    left = []
    for _ in range(4):
        conn.execute("select pgqueue.reap()")
        left += conn.execute("select count(*) from pgqueue.jobs").fetchone() or ()
    assert left == [250, 50, 0, 0]


def test_a_child_needs_no_key(conn: Conn) -> None:
    for said in ({"unique_key": "k"}, {"unique": "args"}):
        with pytest.raises(pgqueue.OptionError, match="spawn\\(\\) is a step"):
            pgqueue.durable.children.prepared([pgqueue.NewJob(f"{TASKS}:idle", **said)])  # type: ignore[arg-type]
