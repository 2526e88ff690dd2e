"""Whole workers whose jobs are cancelled, expire, or are stopped with them: from the row to the task and back."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

import pgqueue
from pgqueue.tasks import Modules
from pgqueue.worker.foreground import run_job
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.running import KINDS, NEVER, TWO_KINDS, Desk, StartProcess, StartThreaded, await_end, lines_of

STUBBORN = "tests.worker.stubborn"
# Far less than a poll or a heartbeat, and enough for a machine that is busy with other tests.
SOON = 8.0
PATIENCE = 60.0


def begun(desk: Desk, folder: Path, name: str, *args: object, **options: object) -> UUID:
    """A job that a worker has begun."""
    job_id = desk.send(f"{STUBBORN}:{name}", *args, **options)
    wait_until(lambda: lines_of(folder / "log"), PATIENCE, "the job's beginning")
    return job_id


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["wait_until_cancelled", "wait_until_cancelled_async"])
def test_a_running_job_hears_at_once_that_it_was_cancelled(
    start: StartThreaded, desk: Desk, tmp_path: Path, kind: str, name: str
) -> None:
    start(executor=kind, app=[STUBBORN], concurrency=1, poll=NEVER, lease=90.0)
    job_id = begun(desk, tmp_path, name, str(tmp_path / "log"), "raise")
    assert pgqueue.cancel(desk.conn, job_id) == "running"
    job = desk.await_state(job_id, timeout=SOON)
    assert (job.state, desk.outcomes(job_id)) == ("cancelled", ["cancelled"])
    assert desk.one("select count(*) from pgqueue.cancellations") == 0


def test_a_cancelled_job_that_returns_in_time_has_succeeded(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    start(executor="process", app=[STUBBORN], concurrency=1, poll=NEVER, lease=90.0)
    job_id = begun(desk, tmp_path, "wait_until_cancelled", str(tmp_path / "log"), "return")
    pgqueue.cancel(desk.conn, job_id)
    assert desk.await_state(job_id, timeout=SOON).state == "succeeded"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "state"), [("expire_and_be_buried", "dead"), ("expire_and_be_cancelled", "cancelled")]
)
def test_an_expired_job_ends_as_its_task_says(
    start: StartThreaded, desk: Desk, kind: str, name: str, state: str
) -> None:
    job_id = desk.send(f"{STUBBORN}:{name}", ttl=0.001)
    wait_until(lambda: desk.one("select clock_timestamp() > expires_at from pgqueue.jobs where id = %s", job_id))
    start(executor=kind, app=[STUBBORN], concurrency=1)
    job = desk.await_state(job_id)
    assert (job.state, job.attempt) == (state, 0)
    assert desk.errors(job_id) == ["pgqueue.Expired: it was not started within its ttl"]


@pytest.mark.parametrize("kind", TWO_KINDS)
@pytest.mark.parametrize("how", ["gracefully", "at once"])
def test_an_at_most_once_job_that_a_stop_ended_is_buried_and_never_rerun(
    spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str, how: str
) -> None:
    worker = spawn(executor=kind, app=[STUBBORN], shutdown_timeout=0.2 if how == "gracefully" else 60.0)
    job_id = begun(desk, tmp_path, "once", "hang", str(tmp_path / "log"))
    children = worker.children
    worker.signal(signal.SIGTERM)
    if how == "at once":
        wait_until(lambda: worker.heard("worker stopping"))
        worker.signal(signal.SIGINT)
        again = time.monotonic() + 0.5
        wait_until(lambda: time.monotonic() > again)
        if worker.process.poll() is None:
            worker.signal(signal.SIGTERM)
    assert worker.wait() == (0 if how == "gracefully" else 1)
    await_end(children)
    job = desk.await_state(job_id, timeout=20)
    assert (job.state, job.reason) == ("dead", "lost")
    assert len(lines_of(tmp_path / "log")) == 1


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_an_at_most_once_job_of_an_evicted_worker_is_buried(
    spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str
) -> None:
    worker = spawn(executor=kind, app=[STUBBORN])
    job_id = begun(desk, tmp_path, "once", "hang", str(tmp_path / "log"))
    desk.conn.execute("select pgqueue.ask(id, 'evict') from pgqueue.workers")
    assert worker.wait() == 75
    desk.conn.execute("select * from pgqueue.reap()")
    job = desk.await_state(job_id)
    assert (job.state, job.reason) == ("dead", "lost")
    assert len(lines_of(tmp_path / "log")) == 1


def test_an_at_most_once_job_that_is_interrupted_in_the_foreground_is_buried(
    desk: Desk, dsn: str, tmp_path: Path
) -> None:
    job_id = desk.send(f"{STUBBORN}:once", "interrupt", str(tmp_path / "log"))
    finished = run_job(dsn, job_id, modules=Modules((STUBBORN,)), observe=lambda _: None)
    assert finished is not None
    job = desk.job(job_id)
    assert (job.state, job.reason) == ("dead", "lost")


def test_an_at_most_once_job_of_a_killed_foreground_is_buried(desk: Desk, dsn: str, tmp_path: Path) -> None:
    job_id = desk.send(f"{STUBBORN}:once", "hang", str(tmp_path / "log"))
    command = [sys.executable, "-m", "pgqueue", "jobs", "run", str(job_id), "-A", STUBBORN, "--dsn", dsn]
    with subprocess.Popen(command, cwd=ROOT) as process:
        wait_until(lambda: lines_of(tmp_path / "log"), PATIENCE)
        process.kill()
    desk.conn.execute("update pgqueue.workers set expires_at = now()")
    desk.conn.execute("select * from pgqueue.reap()")
    job = desk.job(job_id)
    assert (job.state, job.reason) == ("dead", "lost")


def test_a_job_in_the_foreground_hears_that_it_was_cancelled(desk: Desk, dsn: str, tmp_path: Path) -> None:
    job_id = desk.send(f"{STUBBORN}:wait_until_cancelled", str(tmp_path / "log"), "raise")
    cancelling = threading.Thread(target=_cancel_when_begun, args=(desk, job_id, tmp_path / "log"))
    cancelling.start()
    run_job(dsn, job_id, modules=Modules((STUBBORN,)), lease=3.0, observe=lambda _: None)
    cancelling.join()
    assert desk.job(job_id).state == "cancelled"


def _cancel_when_begun(desk: Desk, job_id: UUID, log: Path) -> None:
    wait_until(lambda: lines_of(log), PATIENCE)
    pgqueue.cancel(desk.conn, job_id)
