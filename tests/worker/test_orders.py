"""What a human asks of a running worker: by a signal, or by its row in the database."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Literal

import pytest

from pgqueue.events import OrderHeard, WorkerStopping
from pgqueue.store import execute, workers
from tests.waiting import wait_until
from tests.worker.running import NEVER, Desk, StartProcess, StartThreaded, ThreadedWorker, await_end, lines_of

Order = Literal["quiet", "resume", "stop", "evict"]


def ask(desk: Desk, worker: ThreadedWorker, what: Order) -> None:
    assert execute(desk.conn, workers.ask(worker.worker.id, what))


def test_a_worker_asked_to_be_quiet_claims_nothing_until_it_may_go_on(start: StartThreaded, desk: Desk) -> None:
    # With this lease the next heartbeat is far: it was the notification that it heard.
    worker = start(executor="thread", poll=NEVER, lease=NEVER)
    desk.await_idle()
    ask(desk, worker, "quiet")
    wait_until(lambda: [heard.order for heard in worker.heard(OrderHeard)] == ["quiet"])
    waiting = desk.send("work")
    ask(desk, worker, "resume")
    assert desk.await_state(waiting).state == "succeeded"
    assert [heard.order for heard in worker.heard(OrderHeard)] == ["quiet", "resume"]


def test_a_quiet_worker_leaves_jobs_to_others(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", poll=0.05, lease=NEVER)
    desk.await_idle()
    ask(desk, worker, "quiet")
    wait_until(lambda: worker.heard(OrderHeard))
    job_id = desk.send("work")
    other = start(executor="thread", burst=True)
    assert other.join() == 0
    assert desk.one("select worker from pgqueue.attempts where job_id = %s", job_id) == other.worker.id


def test_a_worker_that_was_made_quiet_twice_goes_on_when_nobody_wants_it_quiet(spawn: StartProcess, desk: Desk) -> None:
    worker = spawn(executor="thread", poll=0.05, lease=NEVER)
    (worker_id,) = desk.workers()
    desk.await_idle()
    worker.signal(signal.SIGTSTP)
    execute(desk.conn, workers.ask(worker_id, "quiet"))
    wait_until(lambda: len(worker.heard("order heard")) == 2)
    worker.signal(signal.SIGCONT)
    wait_until(lambda: len(worker.heard("order heard")) == 3)
    job_id = desk.send("work")
    assert desk.job(job_id).state == "ready"
    execute(desk.conn, workers.ask(worker_id, "resume"))
    assert desk.await_state(job_id).state == "succeeded"


def test_a_worker_asked_to_stop_finishes_what_runs(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    worker = start(executor="thread", lease=NEVER)
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 0.5)
    wait_until(lambda: lines_of(tmp_path / "pid"))
    ask(desk, worker, "stop")
    assert worker.join() == 0
    assert desk.job(job_id).state == "succeeded"
    assert [stopping.why for stopping in worker.heard(WorkerStopping)] == ["pgqueue workers stop"]


def test_an_evicted_worker_ends_what_runs_and_retires(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    worker = spawn(executor="process", lease=NEVER)
    job_id = desk.send("record_pid", str(tmp_path / "pid"), NEVER)
    (child,) = (int(pid) for pid in wait_until(lambda: lines_of(tmp_path / "pid")))
    (worker_id,) = desk.workers()
    execute(desk.conn, workers.ask(worker_id, "evict"))
    assert worker.wait() == 75
    await_end([child])
    assert "lease lost" in worker.heard("worker stopping")[0]["why"]
    execute(desk.conn, workers.reap())
    assert desk.job(job_id).state in ("ready", "retrying")
    assert desk.workers() == []


@pytest.mark.faults
def test_usr1_kills_what_runs_and_the_worker_goes_on(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    worker = spawn(executor="process")
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 2.0)
    first = int(wait_until(lambda: lines_of(tmp_path / "pid"))[0])
    worker.signal(signal.SIGUSR1)
    wait_until(lambda: desk.outcomes(job_id) == ["crashed"])
    await_end([first])
    # Its slot is refilled: the next attempt runs in another child.
    assert desk.await_state(job_id, timeout=30).state == "succeeded"
    assert len(set(lines_of(tmp_path / "pid"))) == 2
    assert "killed on request" in desk.errors(job_id)[0]


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_ttin_writes_what_the_worker_is_doing(spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str) -> None:
    worker = spawn(executor=kind, concurrency=1)
    job_id = desk.send("record_pid", str(tmp_path / "pid"), NEVER)
    wait_until(lambda: lines_of(tmp_path / "pid"))
    # The child may be ahead of what its worker knows of it.
    wait_until(lambda: worker.signal(signal.SIGTTIN) or worker.heard("dump: job"))
    job = worker.heard("dump: job")[0]
    assert (job["job"], job["attempt"]) == (str(job_id), 1)
    assert job["seconds"] >= 0
    # Its heart may beat for the first time a little later.
    wait_until(lambda: "heartbeat" in worker.heard("dump")[-1]["connected"] or worker.signal(signal.SIGTTIN))
    summary = worker.heard("dump")[-1]
    assert (summary["phase"], summary["running"], summary["waiting"], summary["outbox"]) == ("working", 1, 0, 0)
    assert summary["lease_left"] > 0
    assert set(summary["connected"].split(",")) == {"claimer", "heartbeat", "listener"}
    stacks = {line["thread"]: line["stack"] for line in wait_until(lambda: worker.heard("dump: thread"))}
    assert "wait" in stacks["pgqueue-claimer"]
