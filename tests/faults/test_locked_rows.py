"""A row that somebody else keeps locked holds up its own outcome, and no other."""

from __future__ import annotations

import psycopg
import pytest

from pgqueue.events import DatabaseLost
from pgqueue.job import NewJob
from tests.conftest import Connect
from tests.faults.asking import free_port, ready
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, Desk, StartThreaded


def test_an_outcome_whose_row_is_locked_holds_up_no_other(
    start: StartThreaded, desk: Desk, conn: psycopg.Connection[object]
) -> None:
    worker = start(executor="thread", concurrency=4, poll=0.2)
    held = desk.send("work", 0.2)
    failing = desk.send("fail_until", 99, max_attempts=1)
    desk.await_state(held, "running")
    # As a task does that completes its job in a transaction, and goes on without an end.
    conn.execute("select from pgqueue.jobs where id = any (%s) for update", [[held, failing]])
    others = desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(50)])
    for job_id in others:
        desk.await_state(job_id)
    assert desk.job(held).state == "running"
    conn.commit()
    assert desk.await_state(held).state == "succeeded"
    assert desk.await_state(failing).state == "dead"
    assert desk.outcomes(held) == ["succeeded"]
    assert worker.stop() == 0
    assert desk.workers() == []


@pytest.mark.parametrize("lock", ["table", "row"])
def test_who_holds_what_a_worker_waits_for_is_named_and_it_is_not_ready(
    start: StartThreaded, desk: Desk, connect: Connect, lock: str
) -> None:
    port = free_port()
    worker = start(executor="thread", poll=0.2, lease=3, health_port=port)
    wait_until(lambda: ready(port)[0] == 200)
    job_id = desk.send("work", 1.0)
    desk.await_state(job_id, "running")
    # Nothing waits for that.
    connect(autocommit=True).execute("select pg_advisory_lock(id) from pgqueue.workers")
    locker = connect(application_name="nosy")
    match lock:
        case "table":
            locker.execute("lock table pgqueue.jobs in share mode")
        case "row":
            locker.execute("select from pgqueue.workers for update")
    named = f"pid {locker.info.backend_pid} (role {locker.info.user}, nosy) holds"
    wait_until(lambda: any(named in lost.error for lost in worker.heard(DatabaseLost)))
    if lock != "row":
        wait_until(lambda: ready(port)[0] == 503 and named in ready(port)[1])
    locker.rollback()
    assert desk.await_state(job_id, "succeeded", timeout=20)
    wait_until(lambda: ready(port)[0] == 200)


def test_no_lock_that_a_stranger_may_take_keeps_a_worker_from_claiming(
    start: StartThreaded, desk: Desk, connect: Connect
) -> None:
    worker = start(executor="thread", poll=0.2, lease=3)
    stranger = connect()
    stranger.execute("select pg_advisory_lock(id) from pgqueue.workers")
    keys = "select classid::int, objid::int from pg_locks where locktype = 'advisory' and objsubid = 2"
    for classid, objid in stranger.execute(keys).fetchall():
        stranger.execute("select pg_try_advisory_lock(%s, %s)", [classid, objid])
    for _ in range(3):
        assert desk.await_state(desk.send("work"), "succeeded")
    assert worker.stop() == 0


@pytest.mark.faults
def test_a_table_locked_for_20_seconds_costs_no_lease_and_no_attempt(
    start: StartThreaded, desk: Desk, connect: Connect
) -> None:
    worker = start(executor="thread", concurrency=2)
    before = worker.worker.id
    running = desk.send("work", 2.0)
    desk.await_state(running, "running")
    locker = connect()
    locker.execute("lock table pgqueue.jobs in access exclusive mode")
    locker.execute("select pg_sleep(20)")
    locker.commit()
    others = desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(50)])
    desk.await_all_ended()
    desk.check_books([running, *others], succeeded=51)
    assert desk.one("select bool_and(outcome = 'succeeded') from pgqueue.attempts")
    assert worker.worker.id == before
    assert len(worker.events) < 80


def test_a_locked_lease_is_extended_once_it_is_free(
    start: StartThreaded, desk: Desk, conn: psycopg.Connection[object]
) -> None:
    worker = start(executor="thread", lease=3)
    wait_until(desk.workers)
    before = desk.one("select expires_at from pgqueue.workers")
    conn.execute("select from pgqueue.workers for update")
    wait_until(lambda: worker.events[1:], message="a refused heartbeat is told")
    conn.rollback()
    wait_until(lambda: desk.one("select expires_at > %s from pgqueue.workers", before))
    assert worker.stop() == 0
