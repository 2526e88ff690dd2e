"""How a worker ends: what runs may finish, what cannot is given back, and nothing of it remains."""

from __future__ import annotations

import gc
import os
import signal
import time
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest

from pgqueue.errors import DatabaseUnreachable, UsageError
from pgqueue.events import WorkerStopping
from pgqueue.worker import Worker
from pgqueue.worker.supervision.ending import SAME_SIGNAL
from tests.waiting import wait_until
from tests.worker.running import (
    ERRANDS,
    KINDS,
    NEVER,
    TWO_KINDS,
    Desk,
    NewJob,
    StartProcess,
    StartThreaded,
    await_end,
    children_of,
    lines_of,
)


def begun(desk: Desk, folder: Path, seconds: float, name: str = "record_pid") -> UUID:
    """A job that a worker has begun; one that is only claimed would be given back unstarted."""
    job_id = desk.send(name, str(folder / "pid"), seconds)
    wait_until(lambda: lines_of(folder / "pid"))
    return job_id


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_terminated_worker_finishes_what_runs_and_starts_nothing_more(
    spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str
) -> None:
    worker = spawn(executor=kind, concurrency=1)
    first = begun(desk, tmp_path, 1.0)
    second = desk.send("work", 1.0)
    children = worker.children
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert desk.job(first).state == "succeeded"
    job = desk.job(second)
    assert (job.state, job.attempt) == ("ready", 0)
    assert desk.workers() == []
    await_end(children)


@pytest.mark.parametrize("kind", TWO_KINDS)
@pytest.mark.parametrize("name", ["record_pid", "record_pid_async"])
def test_what_runs_past_the_shutdown_timeout_is_given_back_with_its_attempt(
    spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str, name: str
) -> None:
    worker = spawn(executor=kind, shutdown_timeout=0.3)
    job_id = begun(desk, tmp_path, 60.0, name)
    children = worker.children
    worker.signal(signal.SIGINT)
    assert worker.wait() == 0
    job = desk.job(job_id)
    # What a thread still runs as the process ends is not due at once.
    assert job.state in ("ready", "scheduled")
    assert (job.attempt, job.worker) == (0, None)
    assert desk.outcomes(job_id) == ["released"]
    # History and log say why; it is no error of the job.
    assert desk.errors(job_id) == ["None: its worker ended while it ran"]
    assert [line["why"] for line in worker.heard("released")] == ["its worker ended while it ran"]
    assert job.last_error is None
    assert desk.workers() == []
    await_end(children)


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_second_signal_ends_the_worker_at_once(spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str) -> None:
    worker = spawn(executor=kind, shutdown_timeout=60)
    begun(desk, tmp_path, 60.0)
    children = worker.children
    worker.signal(signal.SIGTERM)
    wait_until(lambda: worker.heard("worker stopping"))
    # One that follows at once may be the same, sent to the process and to its group.
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 2 * SAME_SIGNAL)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 1
    assert time.monotonic() - began < 4
    await_end(children)
    assert desk.workers() == []
    assert desk.one("select worker from pgqueue.jobs") is None


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_an_idle_worker_stops_at_once(spawn: StartProcess, desk: Desk, kind: str) -> None:
    worker = spawn(executor=kind, shutdown_timeout=30)
    children = worker.children
    desk.await_idle()
    worker.signal(signal.SIGTERM)
    began = time.monotonic()
    assert worker.wait() == 0
    assert time.monotonic() - began < 2
    await_end(children)
    assert desk.workers() == []
    # The server notices a closed connection a moment later.
    wait_until(lambda: not desk.backends())


def test_processes_that_a_job_started_end_with_it(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    worker = spawn(shutdown_timeout=0.2)
    desk.send("start_process", str(tmp_path / "pid"))
    grandchild = int(wait_until(lambda: lines_of(tmp_path / "pid"))[0])
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    await_end([grandchild])


def test_a_quiet_worker_claims_nothing_until_it_may_go_on(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    worker = spawn(executor="thread", poll=0.1)
    running = begun(desk, tmp_path, 0.5)
    worker.signal(signal.SIGTSTP)
    desk.await_state(running, "succeeded")
    waiting = desk.send("work")
    began = time.monotonic()
    wait_until(lambda: desk.job(waiting).state != "ready" or time.monotonic() > began + 0.6)
    assert desk.job(waiting).state == "ready"
    worker.signal(signal.SIGCONT)
    assert desk.await_state(waiting).state == "succeeded"


def test_a_quiet_worker_can_be_stopped(spawn: StartProcess) -> None:
    worker = spawn(executor="thread")
    worker.signal(signal.SIGTSTP)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_burst_ends_when_nothing_is_due(start: StartThreaded, desk: Desk, kind: str) -> None:
    ids = desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(200)])
    born = desk.send("enqueue_and", "return")
    later = desk.send("work", delay=60)
    worker = start(executor=kind, burst=True, poll=NEVER)
    assert worker.join() == 0
    assert desk.one("select count(*) from pgqueue.attempts where outcome = 'succeeded'") == len([*ids, born]) + 1
    assert desk.job(later).state == "scheduled"
    assert desk.workers() == []


def test_a_burst_without_jobs_ends_at_once(start: StartThreaded) -> None:
    assert start(executor="thread", burst=True, poll=NEVER).join(5) == 0


def test_stop_may_be_called_at_any_time_and_twice(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread")
    worker.worker.stop()
    worker.worker.stop()
    assert worker.join() == 0
    worker.worker.stop()
    assert [stopping.why for stopping in worker.heard(WorkerStopping)] == ["stop() was called"]
    assert desk.workers() == []


def test_nothing_is_left_of_a_worker_in_its_process(start: StartThreaded, desk: Desk) -> None:
    before = children_of(os.getpid())
    worker = start(executor="process", concurrency=2)
    desk.await_state(desk.send("work"))
    assert len(children_of(os.getpid()) - before) == 2
    worker.stop()
    assert children_of(os.getpid()) - before == set()
    # The server notices a closed connection a moment later.
    wait_until(lambda: not desk.backends())


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_never_ran_or_could_not_begin_holds_nothing_open(
    kind: Literal["process", "thread", "async"],
) -> None:
    def open_files() -> int:
        gc.collect()
        return len(os.listdir("/dev/fd"))

    before = open_files()
    for _ in range(5):
        Worker("host=127.0.0.1 port=1", executor=kind)
        with pytest.raises(DatabaseUnreachable):
            Worker("host=127.0.0.1 port=1", executor=kind).run()
    # Fewer than one each: what other tests have left in this process opens and closes files of its own.
    assert open_files() < before + 5


def test_a_signal_sent_twice_at_once_means_it_once(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    worker = spawn(executor="thread", shutdown_timeout=60)
    job_id = begun(desk, tmp_path, 2.0)
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert desk.job(job_id).state == "succeeded"


def test_a_worker_runs_once(dsn: str) -> None:
    worker = Worker(dsn, executor="thread", burst=True, observers=[])
    assert worker.run() == 0
    with pytest.raises(UsageError, match="a Worker runs once, and this one has run; make another"):
        worker.run()


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_closed_terminal_stops_a_worker_gracefully_however_often_it_says_so(
    spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str
) -> None:
    worker = spawn(executor=kind, shutdown_timeout=60)
    job_id = begun(desk, tmp_path, 1.5)
    worker.signal(signal.SIGHUP)
    wait_until(lambda: worker.heard("worker stopping"))
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 2 * SAME_SIGNAL)
    worker.signal(signal.SIGHUP)
    assert worker.wait() == 0
    assert desk.job(job_id).state == "succeeded"
    assert worker.heard("worker stopping")[0]["why"] == "SIGHUP"


def test_a_term_after_a_hangup_ends_the_worker_at_once(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    worker = spawn(shutdown_timeout=60)
    begun(desk, tmp_path, 60.0)
    worker.signal(signal.SIGHUP)
    wait_until(lambda: worker.heard("worker stopping"))
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 2 * SAME_SIGNAL)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 1


def test_under_nohup_a_closed_terminal_stops_nothing(
    spawn: StartProcess,
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        worker = spawn(executor="thread")
    finally:
        signal.signal(signal.SIGHUP, before)
    worker.signal(signal.SIGHUP)
    # Signals are looked at in turn: a dump that was asked for later would come after the stop.
    worker.signal(signal.SIGTTIN)
    wait_until(lambda: worker.heard("dump"))
    assert worker.heard("worker stopping") == []
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
