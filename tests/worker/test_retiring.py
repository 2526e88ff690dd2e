"""A worker that knows when it is bad: it hands its jobs over, with their attempts, and asks for a fresh process."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from pgqueue.events import AttemptsFinished, Event, Finished, Trouble, WorkerStopping
from pgqueue.judge import judge
from pgqueue.outcome import Released, error_report
from pgqueue.worker.claiming.bounds import LAST_ID
from pgqueue.worker.claiming.pace import Pace
from pgqueue.worker.supervision.infra import InfraErrors
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker import mishaps
from tests.worker.claims import claim
from tests.worker.running import ERRANDS, Desk, NewJob, StartThreaded, lines_of

MISHAPS = mishaps.__name__
APPS = [ERRANDS, MISHAPS]


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_infrastructure_errors_retire_the_worker_and_cost_no_attempt(
    start: StartThreaded, desk: Desk, kind: str
) -> None:
    worker = start(executor=kind, app=APPS, infra_limit=3)
    ids = desk.send_many([NewJob(f"{MISHAPS}:find_disk_full") for _ in range(3)])
    assert worker.join() == 75
    (stopping,) = worker.heard(WorkerStopping)
    assert stopping.exit_code == 75
    assert stopping.why.startswith("retiring: 3 infrastructure errors within 5 minutes, the last one OSError")
    for job_id in ids:
        assert (desk.job(job_id).attempt, desk.outcomes(job_id)) == (0, ["released"])
        assert "No space left" in desk.errors(job_id)[0]
    assert desk.workers() == []


def test_what_a_retiring_worker_runs_may_finish(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    worker = start(executor="thread", app=APPS, concurrency=2, infra_limit=1)
    running = desk.send("record_pid", str(tmp_path / "pid"), 0.5)
    wait_until(lambda: lines_of(tmp_path / "pid"))
    desk.send(f"{MISHAPS}:find_disk_full")
    assert worker.join() == 75
    assert desk.job(running).state == "succeeded"


def test_infrastructure_errors_far_apart_retire_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    retired: list[str] = []
    errors = InfraErrors(2, 5.0, retired.append)
    taken = claim("nothing")
    done = Finished(taken, judge(taken, Released(error=error_report("OSError", "full"), avoid=True)), 0.0)
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    errors.hear([done])
    now[0] += 301
    errors.hear([done])
    assert retired == []
    now[0] += 10
    errors.hear([done])
    assert retired == ["2 infrastructure errors within 5 minutes, the last one OSError: full"]


@pytest.mark.faults
def test_a_thread_that_outstays_its_timeout_retires_the_worker(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", app=APPS, concurrency=1, shutdown_timeout=0.2)
    stuck = desk.send(f"{MISHAPS}:outstay", 30.0, timeout=0.5)
    desk.await_state(stuck, "running")
    waiting = desk.send("work")
    assert worker.join(40) == 75
    assert desk.outcomes(stuck) == ["timeout"]
    job = desk.job(waiting)
    assert (job.state, job.attempt) == ("ready", 0)
    assert "outstay" in worker.heard(WorkerStopping)[0].why


def test_a_claimer_that_overlooks_a_job_is_made_to_begin_anew(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", lease=1.5, poll=0.2)
    desk.await_idle()
    # What no known way leads to: bounds that lie above the job, and no unbounded scan.
    bounds = worker.worker._serving._enlistment._roles.claimer._served._few
    far = datetime.now(UTC) + timedelta(days=1)
    bounds._bounds = {("default", priority): (far, LAST_ID) for priority in range(10)}
    bounds._ration.next_at = float("inf")
    bounds.serve = lambda _: None  # type: ignore[method-assign]
    bounds.claimed = lambda *_, **__: None  # type: ignore[method-assign]
    job_id = desk.send("work", run_at=datetime.now(UTC) - timedelta(minutes=1))
    assert desk.await_state(job_id, timeout=20).state == "succeeded"
    (trouble,) = wait_until(lambda: worker.heard(Trouble))
    assert trouble.error == f"idle, but job {job_id} is long due"
    assert worker.stop() == 0


def test_a_worker_that_stays_idle_with_work_due_retires(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = start(executor="thread", lease=1.5, poll=0.2)
    desk.await_idle()
    monkeypatch.setattr(Pace, "due", lambda *_: False)
    monkeypatch.setattr(Pace, "wait", lambda *_: 0.05)
    job_id = desk.send("work")
    assert worker.join(20) == 75
    assert f"it was idle while job {job_id} was due" in worker.heard(WorkerStopping)[0].why
    assert desk.job(job_id).state == "ready"
    assert desk.workers() == []


@pytest.mark.parametrize("reason", ["locked", "paused", "elsewhere"])
def test_a_job_that_no_claim_could_have_had_retires_nobody(
    start: StartThreaded, desk: Desk, connect: Connect, reason: str
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    job_id = desk.send("work", run_at=past, queue="elsewhere" if reason == "elsewhere" else None)
    holder = connect()
    if reason == "locked":
        holder.execute("select from pgqueue.jobs for update")
    elif reason == "paused":
        desk.conn.execute("insert into pgqueue.queues (name, paused) values ('default', true)")
    worker = start(executor="thread", lease=1.5, poll=0.2, queues=["default"])
    looks = watch_looks(worker.worker._serving._enlistment._roles.heartbeat._chores)
    wait_until(lambda: len(looks) >= 3)
    holder.rollback()
    assert not worker.heard(Trouble)
    assert worker.stop() == 0
    assert desk.await_state(job_id, "ready", "succeeded")


def watch_looks(chores: object) -> list[float]:
    """The watchdog's looks from now on."""
    looks: list[float] = []
    due = chores._due  # type: ignore[attr-defined]
    chore = next(chore for chore in due if getattr(chore, "__qualname__", "") == "Watchdog.look")

    def look(conn: object) -> float:
        looks.append(time.monotonic())
        return chore(conn)  # type: ignore[no-any-return]

    chores._due = {(look if each is chore else each): at for each, at in due.items()}  # type: ignore[attr-defined]
    return looks


@pytest.mark.faults
def test_a_worker_whose_claim_loop_hangs_stops_beating_and_retires(start: StartThreaded, desk: Desk) -> None:
    hang = threading.Event()

    def stuck(event: Event) -> None:
        if isinstance(event, AttemptsFinished):
            hang.wait(60)

    worker = start(executor="thread", lease=2, poll=0.5)
    worker.worker._observers.insert(0, stuck)
    try:
        done = desk.send("work")
        assert desk.await_state(done).state == "succeeded"
        assert worker.join(30) == 75
    finally:
        hang.set()
    assert any("claim loop does not turn" in trouble.error for trouble in worker.heard(Trouble))


@pytest.mark.faults
def test_a_lock_held_for_most_of_the_lease_costs_no_lease(start: StartThreaded, desk: Desk, connect: Connect) -> None:
    worker = start(executor="thread", lease=6, poll=0.5)
    desk.await_idle()
    holder = connect()
    holder.execute("lock table pgqueue.jobs in access exclusive mode")
    worker.worker._serving._enlistment._roles.claimer.wake()
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 4, 10)
    holder.rollback()
    job_id = desk.send("work")
    assert desk.await_state(job_id).state == "succeeded"
    assert worker.code is None
    assert worker.stop() == 0


def test_jobs_that_a_worker_holds_without_knowing_are_given_back(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = start(executor="thread", poll=0.1, queues=["mail"])
    desk.await_idle()
    job_id: UUID = desk.send("work")
    desk.conn.execute(
        "update pgqueue.jobs set worker = %s, claim = 1, attempt = 1, started_at = now()", [worker.worker.id]
    )
    worker.worker._serving._enlistment._roles.claimer._held.unknown._look_at = 0.0
    worker.worker._serving._enlistment._roles.claimer.wake()
    wait_until(lambda: desk.job(job_id).state == "ready")
    assert desk.job(job_id).attempt == 0
    (trouble,) = wait_until(lambda: worker.heard(Trouble))
    assert trouble.error == "held 1 jobs without knowing it"
