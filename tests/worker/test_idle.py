"""What a worker costs: nearly nothing while it is idle, and no more memory however many jobs it has run."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.waiting import wait_until
from tests.worker.running import ERRANDS, KINDS, TWO_KINDS, Desk, NewJob, StartProcess

TICKS_PER_SECOND = 100


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_an_idle_worker_has_three_connections_and_needs_no_cpu(spawn: StartProcess, desk: Desk, kind: str) -> None:
    worker = spawn(executor=kind, concurrency=4)
    desk.await_state(desk.send("work"))
    desk.await_idle()
    pids = [worker.pid, *worker.children]
    # The first probes are done after about a second.
    await_seconds(1)
    before = sum(map(cpu_seconds, pids))
    await_seconds(2.5)
    assert sum(map(cpu_seconds, pids)) - before < 0.05 * 2.5
    assert len(desk.backends()) == 3


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_connections_do_not_grow_with_concurrency(spawn: StartProcess, desk: Desk, kind: str) -> None:
    spawn(executor=kind, concurrency=8 if kind == "process" else 100)
    ids = desk.send_many([NewJob(f"{ERRANDS}:work_async", [0.02]) for _ in range(100)])
    most = 0
    while not desk.job(ids[-1]).state.ended:
        most = max(most, len(desk.backends()))
    assert most <= 3
    desk.await_all_ended()


def test_memory_stays_the_same_over_20_000_jobs(spawn: StartProcess, desk: Desk) -> None:
    assert growth(spawn, desk, "process", 20_000) < 10


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_memory_stays_the_same_over_100_000_jobs(spawn: StartProcess, desk: Desk, kind: str) -> None:
    assert growth(spawn, desk, kind, 100_000) < 10


def growth(spawn: StartProcess, desk: Desk, kind: str, count: int) -> float:
    """How many megabytes a worker and its children grow by, from the first tenth of so many jobs to the last."""
    worker = spawn(executor=kind)
    pids = [worker.pid, *worker.children]
    batch = [NewJob(f"{ERRANDS}:work", [0]) for _ in range(count // 10)]
    after: list[float] = []
    for _ in range(10):
        desk.send_many(batch)
        desk.await_all_ended(60)
        after.append(sum(map(megabytes, pids)))
    assert desk.one("select count(*) from pgqueue.attempts where outcome = 'succeeded'") == count
    return after[-1] - after[0]


def await_seconds(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, seconds + 5)


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
    minutes, _, seconds = ask_ps(pid, "time").rpartition(":")
    return int(minutes or 0) * 60 + float(seconds)


def megabytes(pid: int) -> float:
    """The memory that a process has in use."""
    return int(ask_ps(pid, "rss")) / 1024


def ask_ps(pid: int, column: str) -> str:
    return subprocess.run(["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
