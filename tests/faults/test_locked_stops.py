"""A stop ends in its time, whatever somebody has locked; what could not be said is left to the lease."""

from __future__ import annotations

import signal
import time

import psycopg
import pytest

from pgqueue.events import WorkerStopping
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.running import Desk, StartProcess, StartThreaded

# For starting and ending a process on a busy machine.
LENIENCE = 3.0


@pytest.mark.faults
@pytest.mark.parametrize("executor", ["process", "thread"])
@pytest.mark.parametrize("lock", ["workers", "jobs", "attempts", "jobs, pgqueue.workers", "the worker's row"])
def test_a_stop_under_a_lock_takes_its_timeout_and_two_seconds(
    spawn: StartProcess, desk: Desk, connect: Connect, lock: str, executor: str
) -> None:
    worker = spawn(executor=executor, concurrency=2, shutdown_timeout=3, lease=20)
    job_id = desk.send("work", 1.0)
    desk.await_state(job_id, "running")
    locker = connect()
    if lock == "the worker's row":
        locker.execute("select from pgqueue.workers for update")
    else:
        locker.execute(f"lock table pgqueue.{lock} in access exclusive mode")
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert time.monotonic() - began <= 3 + 2 + LENIENCE
    locker.rollback()
    # Nothing is lost: it succeeded before, or the lease ends, and it runs again.
    spawn(executor="thread", poll=0.2)
    assert desk.await_state(job_id, timeout=60).state == "succeeded"


def test_a_stop_waits_for_no_lock(start: StartThreaded, desk: Desk, conn: psycopg.Connection[object]) -> None:
    worker = start(executor="thread", shutdown_timeout=0.5)
    wait_until(desk.workers)
    conn.execute("lock table pgqueue.workers in access exclusive mode")
    began = time.monotonic()
    worker.worker.stop()
    wait_until(lambda: worker.heard(WorkerStopping))
    assert worker.join() == 0
    assert time.monotonic() - began <= 0.5 + 2 + LENIENCE
    conn.rollback()
