"""Who asks a worker where its jobs are is told, soon and within bounds, and nothing else happens to the jobs."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from pathlib import Path

import pytest

from pgqueue.store import dumps, execute
from pgqueue.store.dumps import Dump
from tests.waiting import wait_until
from tests.worker.running import KINDS, NEVER, Desk, StartProcess, StartThreaded, children_of

TASKS = "tests.worker.sample_tasks"


def asked(desk: Desk) -> tuple[int, datetime]:
    (worker,) = desk.workers()
    at = execute(desk.conn, dumps.ask(worker))
    assert at is not None
    return worker, at


def told(desk: Desk) -> Dump:
    worker, at = asked(desk)
    found = wait_until(lambda: execute(desk.conn, dumps.answer(worker, at)), 10, "the worker's answer")
    assert isinstance(found, Dump)
    return found


@pytest.mark.parametrize(("kind", "task"), [*((kind, "nap") for kind in KINDS), ("async", "nap_async")])
def test_a_worker_tells_where_its_jobs_are(start: StartThreaded, desk: Desk, kind: str, task: str) -> None:
    # So long a lease that only the notice can explain an answer.
    worker = start(executor=kind, concurrency=2, app=[TASKS], lease=3 * NEVER, shutdown_timeout=0.1)
    job = desk.send(f"{TASKS}:{task}", 60)
    desk.await_state(job, "running")
    wait_until(lambda: worker.worker._serving._enlistment._roles.executor.running(), 10, "the job's start")
    desk.await_idle()
    (there,) = told(desk).jobs
    assert (there.job, there.target, there.attempt) == (str(job), f"{TASKS}:{task}", 1)
    assert there.stack is not None
    assert f"in {task}" in there.stack
    assert "attempt.py" not in there.stack
    assert (there.pid is not None) == (kind == "process")
    again = told(desk)
    assert (len(again.jobs), "pgqueue-heartbeat" in again.threads) == (1, True)
    assert desk.job(job).state == "running"


def test_a_child_that_cannot_answer_keeps_nobody_waiting(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    worker = spawn(app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:nap", 60)
    desk.await_state(job, "running")
    (child,) = children_of(worker.pid)
    os.kill(child, signal.SIGSTOP)
    try:
        (there,) = told(desk).jobs
    finally:
        os.kill(child, signal.SIGCONT)
    assert (there.stack, there.pid) == (None, child)
    assert there.why is not None
    assert "does not answer" in there.why


def test_a_worker_without_jobs_says_so(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", app=[TASKS])
    wait_until(desk.workers, 10, "the worker's row")
    desk.await_idle()
    assert told(desk).jobs == []


def test_nobody_can_be_asked_who_is_not_there(desk: Desk) -> None:
    assert execute(desk.conn, dumps.ask(1)) is None
    assert desk.one("select count(*) from pgqueue.worker_dumps") == 0
