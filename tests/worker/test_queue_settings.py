"""What a queue says of its jobs' attempts holds where neither they nor their task do, also for those that wait."""

from __future__ import annotations

import pytest

import pgqueue
from tests.waiting import wait_until
from tests.worker.running import ANY_KIND, NEVER, Desk, StartThreaded


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
