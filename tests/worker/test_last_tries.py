"""What cannot be tried again is not held ahead of a free slot: a worker that is killed takes no more than it ran."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from pgqueue.job import NewJob
from tests.waiting import wait_until
from tests.worker.running import KINDS, Desk, StartProcess, lines_of

TASKS = "tests.worker.last_tasks"
SLOTS = 2


@pytest.mark.faults
@pytest.mark.parametrize("executor", KINDS)
@pytest.mark.parametrize("task", ["job says so", "task says so", "at_most_once"])
def test_p3_a_killed_worker_ends_no_job_that_had_not_begun(
    desk: Desk, spawn: StartProcess, tmp_path: Path, executor: str, task: str
) -> None:
    path = tmp_path / "begun"
    name, options = {"job says so": ("note", {"max_attempts": 1}), "task says so": ("note_once", {})}.get(
        task, ("note_at_most_once", {})
    )
    desk.send_many([NewJob(f"{TASKS}:{name}", [str(path), n], **options) for n in range(6_000)])
    worker = spawn(executor=executor, concurrency=SLOTS, app=[TASKS], lease=1, poll=0.2)
    wait_until(lambda: len(lines_of(path)) > 400, 30)
    worker.signal(signal.SIGKILL)
    worker.wait()
    held = int(desk.one("select count(*) from pgqueue.jobs where worker is not null"))
    # What runs, and what has run and was not yet written down.
    assert held <= 2 * SLOTS
    spawn(executor=executor, concurrency=SLOTS, app=[TASKS], lease=1, poll=0.2, burst=True)
    wait_until(lambda: desk.one("select count(*) from pgqueue.jobs") == 0, 60)
    died = int(desk.one("select count(*) from pgqueue.dead_jobs"))
    assert died <= held


def test_what_can_be_tried_again_is_still_held_ahead(desk: Desk, spawn: StartProcess, tmp_path: Path) -> None:
    path = tmp_path / "begun"
    desk.send_many([NewJob(f"{TASKS}:note", [str(path), n]) for n in range(6_000)])
    spawn(executor="thread", concurrency=SLOTS, app=[TASKS])
    held = "select count(*) from pgqueue.jobs where worker is not null"
    wait_until(lambda: int(desk.one(held)) > 4 * SLOTS, 30)
