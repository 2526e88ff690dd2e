"""Programs in every executor: they end when their job does, is cancelled or out of time, and with their worker."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from shutil import which

import pytest

import pgqueue
from pgqueue.client import cancel
from pgqueue.outcome import Move
from tests.polyglot import programs
from tests.waiting import wait_until
from tests.worker.benches import KINDS, Make
from tests.worker.claims import claim
from tests.worker.running import TWO_KINDS, Desk, StartProcess, StartThreaded, await_end, is_alive, lines_of

PROGRAMS = programs.__name__
pytestmark = pytest.mark.skipif(not (which("bash") and which("perl")), reason="no bash or no perl here")


def pids_in(file: Path) -> list[int]:
    """The numbers that a program has written, once it has."""
    wait_until(file.exists)
    return [int(line) for line in lines_of(file)]


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_worker_runs_programs_as_any_task(desk: Desk, start: StartThreaded, kind: str) -> None:
    added = [desk.send(f"{PROGRAMS}:add", n, 1) for n in range(10)]
    retried, buried = (desk.send(f"{PROGRAMS}:{name}") for name in ("retried", "buried"))
    fallen = programs.falling.using(unique_key="one").enqueue(desk.conn, 2, 3)
    assert programs.falling.using(unique_key="one").enqueue(desk.conn, 4, 5).created is False
    start(app=[PROGRAMS], executor=kind, concurrency=4)
    desk.await_all_ended()
    assert [programs.add.result(desk.conn, each) for each in added] == [n + 1 for n in range(10)]
    assert pgqueue.result(desk.conn, fallen.id) == 5
    assert desk.job(fallen.id).limit_key == "n:2"
    assert desk.outcomes(fallen.id) == ["failed", "succeeded"]
    assert desk.outcomes(retried) == ["failed", "succeeded"]
    assert desk.errors(buried) == ["Bury: exit code 65: no such photo"]
    # Written about once a second.
    log = wait_until(lambda: desk.values("select line from pgqueue.job_logs where job_id = %s", buried))
    assert log == ["no such photo"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lasting", pytest.param("stubborn", marks=pytest.mark.faults)])
def test_a_cancelled_program_ends_with_its_group(make: Make, tmp_path: Path, kind: str, name: str) -> None:
    bench = make(kind, 1, apps=(PROGRAMS,), grace=10.0, cancel_grace=10.0)
    job = claim("", str(tmp_path / "pids"), target=f"{PROGRAMS}:{name}")
    bench.executor.submit([job])
    pids = pids_in(tmp_path / "pids")
    began = time.monotonic()
    bench.executor.cancel([job.id])
    wait_until(lambda: bench.finished)
    assert time.monotonic() - began < (5 if name == "stubborn" else 1.5)
    assert (bench.finished[0].settlement.outcome, bench.finished[0].settlement.move) == ("cancelled", Move.END)
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_program_that_is_out_of_time_ends_with_its_group(make: Make, tmp_path: Path, kind: str) -> None:
    bench = make(kind, 1, apps=(PROGRAMS,))
    job = claim("", str(tmp_path / "pids"), target=f"{PROGRAMS}:lasting", timeout=0.5)
    (done,) = bench.run([job])
    assert (done.outcome, done.move) == ("timeout", Move.RETRY)
    wait_until(lambda: not any(map(is_alive, pids_in(tmp_path / "pids"))), 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lasting", pytest.param("stubborn", marks=pytest.mark.faults)])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_program_outlives_its_worker(
    desk: Desk, spawn: StartProcess, tmp_path: Path, kind: str, name: str, number: signal.Signals
) -> None:
    worker = spawn(app=[PROGRAMS], executor=kind, concurrency=2, shutdown_timeout=0.2)
    for n in range(2):
        desk.send(f"{PROGRAMS}:{name}", str(tmp_path / f"pids-{n}"))
    pids = [pid for n in range(2) for pid in pids_in(tmp_path / f"pids-{n}")]
    assert len(pids) == 4
    assert all(map(is_alive, pids))
    worker.signal(number)
    worker.wait()
    await_end(pids, 5.0)


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_program_that_is_not_waited_for_any_more_ends(make: Make, tmp_path: Path, kind: str) -> None:
    bench = make(kind, 1, apps=(PROGRAMS,))
    job = claim("", str(tmp_path / "pids"), target=f"{PROGRAMS}:lasting")
    bench.executor.submit([job])
    pids = pids_in(tmp_path / "pids")
    (left,) = bench.executor.stop(0.1)
    assert (left.claim, left.started) == (job, True)
    await_end(pids, 5.0)
    assert bench.finished == []


def test_a_program_ends_with_the_child_that_ran_it(make: Make, tmp_path: Path) -> None:
    bench = make("process", 1, apps=(PROGRAMS,))
    bench.executor.submit([claim("", str(tmp_path / "pids"), target=f"{PROGRAMS}:stubborn")])
    pids = pids_in(tmp_path / "pids")
    (child,) = bench.children
    os.kill(child, signal.SIGKILL)
    await_end(pids, 5.0)
    wait_until(lambda: bench.finished)
    assert bench.finished[0].settlement.outcome == "crashed"


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_who_kills_the_keeper_ends_the_programs_and_the_next_ones_run(make: Make, tmp_path: Path, kind: str) -> None:
    bench = make(kind, 1, apps=(PROGRAMS,))
    job = claim("", str(tmp_path / "pids"), target=f"{PROGRAMS}:lasting")
    bench.executor.submit([job])
    program = pids_in(tmp_path / "pids")[1]
    keeper = int(Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[1])
    assert b"keeper.py" in Path(f"/proc/{keeper}/cmdline").read_bytes()
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: bench.finished)
    assert "ended with its keeper" in (bench.finished[0].settlement.error or "")
    await_end([program])
    (done,) = bench.run([claim("", 1, 2, target=f"{PROGRAMS}:add", store_result=True)])
    assert done.result == "3"


def test_a_loop_goes_on_while_programs_run(make: Make, tmp_path: Path) -> None:
    bench = make("async", 20, apps=(PROGRAMS,))
    lasting = [claim("", str(tmp_path / f"{n}"), target=f"{PROGRAMS}:lasting") for n in range(10)]
    bench.executor.submit(lasting)
    for n in range(10):
        pids_in(tmp_path / f"{n}")
    assert [done.outcome for done in bench.run([claim("", n, 1, target=f"{PROGRAMS}:add") for n in range(10)])] == [
        "succeeded"
    ] * 10
    bench.executor.cancel([each.id for each in lasting])
    wait_until(lambda: len(bench.finished) == 20)


def test_a_job_is_cancelled_in_the_database_and_its_program_ends(
    desk: Desk, start: StartThreaded, tmp_path: Path
) -> None:
    start(app=[PROGRAMS], executor="thread")
    job = desk.send(f"{PROGRAMS}:lasting", str(tmp_path / "pids"))
    pids = pids_in(tmp_path / "pids")
    cancel(desk.conn, job)
    await_end(pids, 10.0)
    assert desk.await_state(job).state == "cancelled"


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_program_finds_all_it_takes_by_name(make: Make, kind: str) -> None:
    bench = make(kind, 1, apps=(PROGRAMS,))
    target = f"{PROGRAMS}:typed"
    by_place = claim("", "a.png", target=target, store_result=True)
    by_name = claim("", target=target, store_result=True, args='{"day": "2027-01-01", "path": "b.png"}')
    misfit = claim("", "a.png", "2027-01-01", 3, target=target)
    done = bench.run([by_place, by_name, misfit])
    assert [json.loads(each.result or "null") for each in done] == [
        {"path": "a.png", "day": "2026-01-31"},
        {"path": "b.png", "day": "2027-01-01"},
        None,
    ]
    assert done[2].reason == "buried"
    assert "its arguments do not fit (path: 'str', day: 'date' = " in (done[2].error or "")
