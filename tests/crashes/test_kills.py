"""SIGKILL and SIGSTOP of workers and their children: nothing is lost, nothing ends twice, nobody survives."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.waiting import wait_until
from tests.worker.running import ERRANDS, ONE_KIND, Desk, NewJob, StartProcess, await_end, lines_of

LEASE = 2


def running_pid(path: Path, times: int = 1) -> int:
    """The process that runs the job which writes to `path`, when it has begun for the n-th time."""
    return int(wait_until(lambda: len(lines_of(path)) >= times and lines_of(path)[times - 1]))


def test_a_killed_child_costs_one_attempt_and_its_slot_is_refilled(
    spawn: StartProcess, desk: Desk, tmp_path: Path
) -> None:
    worker = spawn(concurrency=2)
    victim = desk.send("record_pid", str(tmp_path / "pid"), 60.0)
    child = running_pid(tmp_path / "pid")
    others = [desk.send("work") for _ in range(50)]
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: desk.outcomes(victim) == ["crashed"])
    assert "signal 9 (SIGKILL)" in desk.errors(victim)[0]
    for job_id in others:
        assert desk.await_state(job_id).state == "succeeded"
        assert desk.outcomes(job_id) == ["succeeded"]
    second = running_pid(tmp_path / "pid", 2)
    assert second != child
    wait_until(lambda: len(worker.children) == 2)
    assert worker.heard("child ended")[0]["pid"] == child


def test_what_was_fed_ahead_to_a_killed_child_is_not_charged(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    spawn(concurrency=1)
    # So many quick ones that the child is fed ahead when the long one begins.
    before = desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(300)])
    victim = desk.send("record_pid", str(tmp_path / "pid"), 60.0, max_attempts=1)
    behind = desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(300)])
    os.kill(running_pid(tmp_path / "pid"), signal.SIGKILL)
    desk.await_all_ended()
    desk.check_books([*before, victim, *behind], succeeded=600, dead=1)
    assert desk.outcomes(victim) == ["crashed"]
    # Who was given back before the kill has a second claim, but nobody a second attempt.
    assert desk.one("select max(attempt) from pgqueue.attempts") == 1
    assert desk.one("select count(*) from pgqueue.attempts where outcome <> 'released'") == 601


def test_three_killed_children_in_a_row_make_a_job_poison(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    spawn()
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 60.0)
    for times in (1, 2, 3):
        os.kill(running_pid(tmp_path / "pid", times), signal.SIGKILL)
    job = desk.await_state(job_id)
    assert (job.state, job.reason) == ("dead", "poison")
    assert desk.outcomes(job_id) == ["crashed"] * 3


@pytest.mark.parametrize("kind", ONE_KIND)
def test_the_jobs_of_a_killed_worker_run_elsewhere_after_its_lease(
    spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str
) -> None:
    first = spawn(executor=kind, lease=LEASE)
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 0.5)
    running_pid(tmp_path / "pid")
    children = first.children
    first.process.kill()
    await_end({first.pid, *children})
    killed = time.monotonic()
    second = spawn(executor=kind, lease=LEASE, poll=1)
    assert desk.await_state(job_id).state == "succeeded"
    assert time.monotonic() - killed < LEASE + 1 + 2
    assert desk.outcomes(job_id) == ["lost", "succeeded"]
    assert second.heard("took back jobs of vanished workers")[0]["jobs"] == 1
    assert len(desk.workers()) == 1


def test_a_worker_and_its_child_killed_together_lose_nothing(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    first = spawn(lease=LEASE)
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 0.5)
    child = running_pid(tmp_path / "pid")
    for pid in (child, first.pid):
        os.kill(pid, signal.SIGKILL)
    spawn(lease=LEASE, poll=1)
    assert desk.await_state(job_id).state == "succeeded"
    assert desk.outcomes(job_id)[0] in ("lost", "crashed")
    assert desk.outcomes(job_id)[1:] == ["succeeded"]


def test_a_job_whose_workers_were_killed_three_times_is_poison(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 60.0)
    for times in (1, 2, 3):
        worker = spawn(executor="thread", concurrency=1, lease=1, poll=0.5)
        running_pid(tmp_path / "pid", times)
        worker.process.kill()
        worker.wait()
    spawn(executor="thread", lease=1, poll=0.5)
    job = desk.await_state(job_id)
    assert (job.state, job.reason) == ("dead", "poison")
    assert desk.outcomes(job_id) == ["lost"] * 3


@pytest.mark.parametrize("kind", ONE_KIND)
@pytest.mark.parametrize("name", ["effect", "work"])
def test_a_worker_that_slept_past_its_lease_changes_nothing_and_retires(
    spawn: StartProcess, desk: Desk, kind: str, name: str
) -> None:
    slow = spawn(executor=kind, concurrency=1, lease=LEASE)
    args = [1, 1.0] if name == "effect" else [1.0]
    job_id = desk.send(name, *args)
    desk.await_state(job_id, "running")
    children = slow.children
    for pid in (slow.pid, *children):
        os.kill(pid, signal.SIGSTOP)
    spawn(executor=kind, lease=LEASE, poll=0.5)
    # The second attempt may have to wait for locks of the first one's transaction, but not for its process.
    desk.await_state(job_id, timeout=15)
    for pid in (*children, slow.pid):
        os.kill(pid, signal.SIGCONT)
    assert slow.wait() == 75
    assert desk.outcomes(job_id) == ["late", "succeeded"]
    desk.check_books([job_id], succeeded=1)
    desk.check_effects([1] if name == "effect" else [])
    await_end(children)
    assert slow.heard("late")
    wait_until(lambda: len(desk.workers()) == 1)


def test_a_worker_that_slept_past_its_lease_gives_back_what_it_had_not_begun(spawn: StartProcess, desk: Desk) -> None:
    slow = spawn(executor="thread", concurrency=1, lease=LEASE)
    ids = [desk.send("work", 0.05) for _ in range(60)]
    desk.await_state(ids[5])
    slow.signal(signal.SIGSTOP)
    second = spawn(executor="thread", lease=LEASE, poll=0.5)
    desk.await_all_ended()
    slow.signal(signal.SIGCONT)
    assert slow.wait() == 75
    desk.check_books(ids, succeeded=60)
    assert desk.one("select count(*) from pgqueue.attempts where outcome = 'lost'") == 0
    second.signal(signal.SIGTERM)
    assert second.wait() == 0


def test_a_stopped_child_holds_up_nobody_else(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    spawn(concurrency=2, lease=LEASE)
    asleep = desk.send("record_pid", str(tmp_path / "pid"), 0.5)
    child = running_pid(tmp_path / "pid")
    os.kill(child, signal.SIGSTOP)
    others = [desk.send("work") for _ in range(100)]
    # Nobody can know whether it has begun what it was fed last; all else goes to its neighbour.
    wait_until(lambda: desk.one("select count(*) <= 3 from pgqueue.jobs"))
    # For longer than a lease: the worker is well, so the job stays its own.
    began = time.monotonic()
    wait_until(lambda: desk.job(asleep).state != "running" or time.monotonic() > began + LEASE + 0.5)
    os.kill(child, signal.SIGCONT)
    desk.await_all_ended()
    desk.check_books([asleep, *others], succeeded=101)
    assert desk.outcomes(asleep) == ["succeeded"]


@pytest.mark.parametrize("how", ["delete from pgqueue.workers", "update pgqueue.workers set expires_at = now()"])
@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_worker_evicted_by_hand_ends_its_jobs_and_retires(
    spawn: StartProcess, desk: Desk, tmp_path: Path, kind: str, how: str
) -> None:
    worker = spawn(executor=kind, lease=LEASE)
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 30.0)
    running_pid(tmp_path / "pid")
    children = worker.children
    desk.conn.execute(how)
    assert worker.wait() == 75
    await_end(children)
    # What a thread still runs is not due at once.
    job = desk.await_state(job_id, "ready", "retrying", "scheduled")
    assert job.worker is None
    assert desk.workers() == []
