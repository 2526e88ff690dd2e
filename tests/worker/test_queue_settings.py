"""What a queue says of its jobs' attempts holds where neither they nor their task do, also for those that wait."""

from __future__ import annotations

import pytest

import pgqueue
from tests.waiting import wait_until
from tests.worker.running import ANY_KIND, ERRANDS, NEVER, Desk, StartThreaded


@pytest.mark.parametrize("executor", ANY_KIND)
def test_a_queues_timeout_holds_where_nothing_else_is_said(start: StartThreaded, desk: Desk, executor: str) -> None:
    pgqueue.set_queue(desk.conn, "mail", timeout=0.3, max_attempts=1)
    asleep = "work_async" if executor == "async" else "work"
    unsaid = desk.send(asleep, 30, queue="mail")
    said = desk.send(asleep, 0.6, queue="mail", timeout=60)
    elsewhere = desk.send(asleep, 0.6, queue="web")
    start(executor=executor, concurrency=3)
    assert desk.await_state(said).state == "succeeded"
    assert desk.await_state(elsewhere).state == "succeeded"
    wait_until(lambda: desk.outcomes(unsaid) == ["timeout"])


@pytest.mark.parametrize("executor", ANY_KIND)
def test_a_queues_attempts_hold_where_neither_job_nor_task_says_more(
    start: StartThreaded, desk: Desk, executor: str
) -> None:
    pgqueue.set_queue(desk.conn, "mail", max_attempts=2)
    failing = "fail_until_async" if executor == "async" else "fail_until"
    unsaid = desk.send(failing, 99, queue="mail")
    by_job = desk.send(failing, 99, queue="mail", max_attempts=3)
    by_task = desk.send("fail_abroad", queue="mail")
    start(executor=executor)
    outcomes = {job: desk.await_state(job) and desk.outcomes(job) for job in (unsaid, by_job, by_task)}
    assert outcomes == {unsaid: ["failed"] * 2, by_job: ["failed"] * 3, by_task: ["failed"]}
    assert desk.job(unsaid).reason == "exhausted"


def test_a_running_worker_hears_of_a_change_at_once(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", poll=NEVER)
    desk.await_idle()
    settings = worker.worker._serving._enlistment._roles.queue_settings
    pgqueue.set_queue(desk.conn, "mail", ageing=5)
    wait_until(lambda: settings.ageing("mail") == 5)
    pgqueue.unset_queue(desk.conn, "mail")
    wait_until(lambda: settings.ageing("mail") is None)


@pytest.mark.parametrize("executor", ANY_KIND)
def test_a_worker_buries_what_must_not_run_in_its_queue(start: StartThreaded, desk: Desk, executor: str) -> None:
    """Rows from before the rule, and those that came past it, as of somebody who may switch triggers off."""
    task = "work_async" if executor == "async" else "work"
    before = desk.send(task, 0, queue="mail")
    fine = desk.send("fail_abroad", queue="mail")
    pgqueue.allow_targets(desk.conn, "mail", [f"{ERRANDS}:fail_*"])
    desk.conn.execute("set session_replication_role = replica")
    past = desk.send(task, 0, queue="mail", limit_key="k")
    desk.conn.execute("reset session_replication_role")
    elsewhere = desk.send(task, 0, queue="web")
    start(executor=executor, concurrency=2)
    assert desk.await_state(elsewhere).state == "succeeded"
    for refused in (before, past):
        job = desk.await_state(refused)
        assert (job.state, job.reason) == ("dead", "refused")
        assert job.last_error is not None
        assert job.last_error.endswith(f"must not run in queue 'mail': it allows {ERRANDS}:fail_*")
    assert desk.await_state(fine).reason != "refused"


def test_a_running_worker_hears_what_a_queue_takes(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", poll=NEVER)
    desk.await_idle()
    waits = desk.send("work", 0, queue="mail", delay=2)
    pgqueue.allow_targets(desk.conn, "mail", ["shop.mail:*"])
    assert desk.await_state(waits).reason == "refused"
