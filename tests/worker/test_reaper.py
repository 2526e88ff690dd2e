"""Taking back the jobs of vanished workers, while others work."""

from __future__ import annotations

from pgqueue.events import LeasesReaped
from pgqueue.store import execute, workers
from tests.conftest import Connect
from tests.factories import claim, enlist, expire
from tests.waiting import wait_until
from tests.worker.running import Desk, StartThreaded


def test_a_reap_holds_up_no_worker_that_is_well(start: StartThreaded, desk: Desk, connect: Connect) -> None:
    start(executor="thread")
    desk.await_idle()
    with connect() as reaping:
        execute(reaping, workers.reap())
        # Its transaction is still open.
        desk.await_state(desk.send("work"), timeout=3)


def test_a_worker_tells_what_it_took_back_and_runs_it(start: StartThreaded, desk: Desk) -> None:
    job_id = desk.send("work")
    vanished = enlist(desk.conn)
    claim(desk.conn, vanished)
    expire(desk.conn, vanished)
    worker = start(executor="thread", poll=0.5)
    wait_until(lambda: worker.heard(LeasesReaped) == [LeasesReaped([vanished], 1)])
    desk.await_state(job_id, "succeeded")
    assert desk.outcomes(job_id) == ["lost", "succeeded"]


def test_a_vanished_worker_whose_job_is_about_to_commit_is_no_news(
    start: StartThreaded, desk: Desk, connect: Connect
) -> None:
    job_id = desk.send("work")
    vanished = enlist(desk.conn)
    claim(desk.conn, vanished)
    with connect() as committing:
        committing.execute("select from pgqueue.jobs where id = %s for update", [job_id])
        expire(desk.conn, vanished)
        worker = start(executor="thread", poll=0.1)
        desk.await_state(desk.send("work"), "succeeded")
        assert worker.heard(LeasesReaped) == []
    wait_until(lambda: worker.heard(LeasesReaped))
    desk.await_state(job_id, "succeeded")
