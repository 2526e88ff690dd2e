"""What a workflow has done is undone when it dies or is cancelled: the last first, each once, by a job of its own."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.durable.callee import undo_found, undo_named
from pgqueue.testing import drain
from tests.durable import tasks
from tests.durable.conftest import Conn, done, lines
from tests.worker.running import ONE_KIND, Desk, StartThreaded

TASKS = "tests.durable.tasks"


@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_workflow_that_dies_is_undone(start: StartThreaded, desk: Desk, log: str, kind: str) -> None:
    start(executor=kind, app=[TASKS])
    job = desk.send(f"{TASKS}:trip", log, "fail")
    assert desk.await_state(job).state == "dead"
    desk.await_all_ended()
    assert lines(log) == ["hotel", "undone hotel"]
    assert done(desk.conn) == ["flight", "undone wrote flight"]
    (undone,) = desk.values("select job_id from pgqueue.lineage where how = 'rollback' and parent_id = %s", job)
    found = desk.job(undone)
    assert (found.state, found.target, found.queue) == ("succeeded", f"{TASKS}:trip__rollback", "trips")
    assert [each.kind for each in pgqueue.steps(desk.conn, undone)] == ["step", "undo", "step", "undone", "undone"]
    assert pgqueue.steps(desk.conn, job) == []


@pytest.mark.parametrize("kind", ONE_KIND)
def test_an_async_one_too(start: StartThreaded, desk: Desk, kind: str) -> None:
    start(executor=kind, app=[TASKS])
    job = desk.send(f"{TASKS}:trip_async")
    assert desk.await_state(job).state == "dead"
    desk.await_all_ended()
    assert done(desk.conn) == ["flight", "undone hotel", "undone wrote flight"]


@pytest.mark.parametrize("how", ["by itself", "while it waits"])
def test_a_cancelled_one_too(conn: Conn, log: str, how: str) -> None:
    job = tasks.trip.enqueue(conn, log, "cancel" if how == "by itself" else "wait")
    drain(conn)
    if how == "while it waits":
        assert pgqueue.cancel(conn, job) == "cancelled"
        drain(conn)
    assert pgqueue.get_job(conn, job).state == "cancelled"
    assert (lines(log), done(conn)) == (["hotel", "undone hotel"], ["flight", "undone wrote flight"])


def test_one_that_succeeds_is_not(conn: Conn, log: str) -> None:
    tasks.trip.enqueue(conn, log, "succeed")
    assert [each.outcome for each in drain(conn)] == ["succeeded"]
    assert (lines(log), done(conn)) == (["hotel"], ["flight"])


def test_one_that_is_revived_begins_from_the_start(conn: Conn, log: str) -> None:
    job = tasks.trip.enqueue(conn, log, "fail")
    for _ in range(2):
        while pgqueue.get_job(conn, job).state != "dead":
            pgqueue.retry(conn, job)
            drain(conn, raises=False)
        pgqueue.retry(conn, job)
    assert lines(log) == ["hotel", "undone hotel"] * 2
    assert done(conn) == ["flight", "undone wrote flight"] * 2


def test_an_undo_that_fails_is_tried_again_and_those_behind_it_are_not(conn: Conn, log: str) -> None:
    conn.execute("create table strike ()")
    job = tasks.trip.enqueue(conn, log, "cancel")
    drain(conn, raises=False)
    assert (lines(log), done(conn)) == (["hotel", "undone hotel"], ["flight"])
    (undoing,) = conn.execute("select job_id from pgqueue.lineage where parent_id = %s", [job.id]).fetchone() or ()
    conn.execute("drop table strike")
    pgqueue.retry(conn, undoing)
    assert [each.outcome for each in drain(conn)] == ["succeeded"]
    assert (lines(log), done(conn)) == (["hotel", "undone hotel"], ["flight", "undone wrote flight"])


def test_what_no_worker_could_find_again_cannot_undo(conn: Conn) -> None:
    with pytest.raises(pgqueue.TargetError, match="is not defined there"):
        undo_named(pytest.importorskip, TASKS)
    with pytest.raises(pgqueue.TargetError, match="a lambda has no name"):
        undo_named(lambda: None, TASKS)
    elsewhere = ("os:system", "tests.durable.never_imported:f", "pgqueue.retry:seconds")
    here = (f"{TASKS}:Account", f"{TASKS}:nobody", f"{TASKS}:Fixed", "tests.x.__a__:b")
    for target in (*elsewhere, *here):
        with pytest.raises(pgqueue.TargetError):
            undo_found(target, TASKS)
