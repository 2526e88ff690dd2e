"""Children: replaced when they are used up, killed when asked, missed when they are gone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from pgqueue.events import ChildEnded
from tests.worker.benches import Make, is_alive, wait_until
from tests.worker.claims import TASKS, claim
from tests.worker.running import lines_of

STUBBORN = "tests.worker.stubborn"
MEGABYTE = 1_000_000


def test_a_child_is_replaced_after_so_many_jobs(make: Make, tmp_path: Path) -> None:
    bench = make("process", 1, max_jobs_per_child=5)
    bench.run([claim("own_pid", str(tmp_path / "pids")) for _ in range(12)])
    pids = lines_of(tmp_path / "pids")
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [5, 5, 2]
    assert bench.events == []


def test_a_child_above_its_memory_is_replaced_after_its_job(make: Make) -> None:
    bench = make("process", 1, apps=(STUBBORN,), max_memory_per_child=10 * MEGABYTE)
    (before,) = bench.children
    # Any child is larger than that.
    bench.run([claim("", 0, target=f"{STUBBORN}:return_at_the_limit")])
    wait_until(lambda: not is_alive(before))
    assert {each.settlement.outcome for each in bench.finished} == {"succeeded"}


@pytest.mark.faults
def test_a_child_above_its_memory_is_killed_while_its_job_runs(make: Make) -> None:
    bench = make("process", 1, apps=(STUBBORN,), max_memory_per_child=150 * MEGABYTE)
    (done,) = bench.run([claim("", 300 * MEGABYTE, 60, target=f"{STUBBORN}:use_memory")])
    assert (done.outcome, done.error_type) == ("crashed", "pgqueue.MemoryLimit")
    assert "more than the 150 MB a child may" in (done.error or "")
    assert bench.run([claim("", MEGABYTE, target=f"{STUBBORN}:use_memory")])[0].outcome == "succeeded"


def test_a_child_that_goes_missing_while_idle_is_noticed_and_replaced(make: Make) -> None:
    bench = make("process", 2)
    before = bench.children
    gone = time.monotonic()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len([event for event in bench.events if isinstance(event, ChildEnded)]) == 2)
    assert time.monotonic() - gone < 10
    wait_until(lambda: len(bench.children - before) == 2)


def test_children_that_run_a_job_can_be_killed_and_the_others_stay(make: Make, tmp_path: Path) -> None:
    bench = make("process", 2, apps=(STUBBORN, TASKS))
    before = bench.children
    bench.executor.submit([claim("", str(tmp_path / "log"), target=f"{STUBBORN}:hang")])
    # It runs before the worker knows that it does.
    wait_until(lambda: (tmp_path / "log").exists() and bench.executor.running())
    bench.executor.crash_running()
    wait_until(lambda: bench.finished)
    done = bench.finished[0].settlement
    assert (done.outcome, done.error_type) == ("crashed", "pgqueue.Killed")
    wait_until(lambda: len(bench.children) == 2)
    assert len(bench.children & before) == 1


def test_a_poison_job_names_the_children_it_took_down(make: Make) -> None:
    bench = make("process", 1)
    job = claim("end_process", "exit", worker=77)
    for crashes in range(3):
        bench.finished.clear()
        (done,) = bench.run([job._replace(claim=crashes + 1, attempt=crashes + 1, crashes=crashes)])
    assert done.reason == "poison"
    ended = [event.pid for event in bench.events if isinstance(event, ChildEnded)]
    assert len(ended) == 3
    for pid in ended:
        assert f"child process {pid} of worker 77" in (done.error or "")
