"""Cancelling a job while it runs: it is told, it may end by itself, and what does not is ended."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pgqueue.outcome import Move
from tests.worker.benches import KINDS, Bench, Make, is_alive, wait_until
from tests.worker.claims import claim
from tests.worker.running import lines_of

STUBBORN = "tests.worker.stubborn"
TOLD = ["wait_until_cancelled", "wait_until_cancelled_async"]


def bench_for(make: Make, kind: str, concurrency: int = 1) -> Bench:
    return make(kind, concurrency, apps=(STUBBORN,), grace=0.3, cancel_grace=0.3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize(
    ("then", "outcome", "move"), [("return", "succeeded", Move.SUCCEED), ("raise", "cancelled", Move.END)]
)
def test_a_cancelled_job_is_told_and_chooses_how_to_end(
    make: Make, tmp_path: Path, kind: str, name: str, then: str, outcome: str, move: Move
) -> None:
    bench = make(kind, 1, apps=(STUBBORN,), cancel_grace=20.0)
    job = claim("", str(tmp_path / "log"), then, target=f"{STUBBORN}:{name}")
    bench.executor.submit([job])
    wait_until((tmp_path / "log").exists)
    bench.executor.cancel([job.id])
    bench.executor.cancel([job.id])
    wait_until(lambda: bench.finished)
    done = bench.finished[0].settlement
    assert (done.outcome, done.move, done.reason) == (outcome, move, None)
    assert [each.settlement.outcome for each in bench.finished] == [outcome]


def test_a_job_that_was_cancelled_is_not_retried(make: Make, tmp_path: Path) -> None:
    bench = bench_for(make, "thread")
    job = claim("", str(tmp_path / "log"), "retry", target=f"{STUBBORN}:wait_until_cancelled")
    bench.executor.submit([job])
    wait_until((tmp_path / "log").exists)
    bench.executor.cancel([job.id])
    wait_until(lambda: bench.finished)
    assert bench.finished[0].settlement.outcome == "cancelled"


@pytest.mark.parametrize("name", ["swallow", pytest.param("hold_the_gil", marks=pytest.mark.faults)])
def test_a_child_whose_cancelled_job_does_not_end_is_killed(make: Make, tmp_path: Path, name: str) -> None:
    bench = bench_for(make, "process")
    (child,) = bench.children
    job = claim("", str(tmp_path / "log"), target=f"{STUBBORN}:{name}")
    bench.executor.submit([job])
    wait_until(lambda: lines_of(tmp_path / "log"))
    bench.executor.cancel([job.id])
    wait_until(lambda: bench.finished)
    done = bench.finished[0].settlement
    assert (done.outcome, done.move) == ("cancelled", Move.END)
    assert f"child process {child}" in (done.error or "")
    assert not is_alive(child)


def test_a_thread_that_does_not_end_is_only_told(make: Make, tmp_path: Path) -> None:
    bench = bench_for(make, "thread")
    job = claim("", str(tmp_path / "log"), target=f"{STUBBORN}:swallow")
    bench.executor.submit([job])
    wait_until((tmp_path / "log").exists)
    bench.executor.cancel([job.id])
    time.sleep(0.8)
    assert (bench.finished, bench.retired) == ([], [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelled_job_that_its_worker_does_not_wait_for_any_more_is_cancelled(
    make: Make, tmp_path: Path, kind: str
) -> None:
    bench = make(kind, 1, apps=(STUBBORN,), cancel_grace=20.0)
    job = claim("", str(tmp_path / "log"), target=f"{STUBBORN}:swallow")
    bench.executor.submit([job])
    wait_until(lambda: lines_of(tmp_path / "log"))
    bench.executor.cancel([job.id])
    wait_until(lambda: "told" in lines_of(tmp_path / "log"))
    assert bench.executor.stop(0.0) == []
    (done,) = bench.finished
    assert (done.settlement.outcome, done.settlement.move) == ("cancelled", Move.END)
    assert "its worker ended before it did" in (done.settlement.error or "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_is_cancelled_before_its_turn_never_starts(make: Make, tmp_path: Path, kind: str) -> None:
    bench = bench_for(make, kind)
    busy = claim("", 0.6, target=f"{STUBBORN}:return_at_the_limit")
    waiting = [claim("", str(tmp_path / "log"), target=f"{STUBBORN}:hang") for _ in range(3)]
    bench.executor.submit([busy, *waiting])
    bench.executor.cancel([each.id for each in waiting])
    wait_until(lambda: len(bench.finished) == 4)
    assert {each.settlement.outcome for each in bench.finished if each.claim is not busy} == {"cancelled"}
    assert bench.executor.load() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_here_cannot_be_cancelled(make: Make, kind: str) -> None:
    bench = bench_for(make, kind)
    bench.executor.cancel([claim("nothing").id])
    assert bench.run([claim("", 0, target=f"{STUBBORN}:return_at_the_limit")])[0].outcome == "succeeded"
