"""Queues that are paused for a while: their workers go on in time, whatever else they wait for."""

from __future__ import annotations

import time

import pytest

from pgqueue.job import NewJob
from pgqueue.store import execute, queues
from tests.worker.running import ERRANDS, NEVER, Desk, StartThreaded


@pytest.mark.parametrize("others", [0, 40], ids=["few queues", "many queues"])
def test_an_idle_worker_goes_on_when_a_pause_has_ended(start: StartThreaded, desk: Desk, others: int) -> None:
    desk.send_many([NewJob(f"{ERRANDS}:work", queue=f"other{number}", delay=3600) for number in range(others)])
    execute(desk.conn, queues.pause("mail", 2.0))
    before = time.monotonic()
    job_id = desk.send("work", queue="mail")
    start(executor="thread", poll=NEVER)
    desk.await_idle()
    assert desk.job(job_id).state == "ready"
    desk.await_state(job_id, timeout=8)
    assert time.monotonic() - before > 1.5


def test_a_worker_that_is_told_of_a_job_during_a_pause_starts_it_when_that_ends(
    start: StartThreaded, desk: Desk
) -> None:
    start(executor="thread", queues=["mail"], poll=NEVER)
    desk.await_idle()
    execute(desk.conn, queues.pause("mail", 2.0))
    before = time.monotonic()
    desk.await_state(desk.send("work", queue="mail"), timeout=8)
    assert time.monotonic() - before > 1.5
