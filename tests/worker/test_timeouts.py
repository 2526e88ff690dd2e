"""Timeouts: a job that runs too long is told, then ended, and nobody else pays for it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from pgqueue.outcome import Move, Settlement
from tests.worker.benches import KINDS, Make, is_alive, wait_until
from tests.worker.claims import claim
from tests.worker.running import Desk, StartThreaded, lines_of

STUBBORN = "tests.worker.stubborn"
QUICK = {"apps": (STUBBORN,), "grace": 0.3}


def run_one(make: Make, kind: str, name: str, *args: object, **changes: object) -> Settlement:
    bench = make(kind, 1, **QUICK)
    (done,) = bench.run([claim("", *args, target=f"{STUBBORN}:{name}", **changes)])
    return done


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["hang", "hang_async"])
def test_a_job_past_its_timeout_is_told_and_settled_as_timeout(make: Make, kind: str, name: str) -> None:
    began = time.monotonic()
    done = run_one(make, kind, name, timeout=0.3)
    assert (done.outcome, done.move) == ("timeout", Move.RETRY)
    assert "timeout of 0.3 s" in (done.error or "")
    assert "in hang" in (done.traceback or "")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["hang_softly", "hang_softly_async"])
def test_a_job_is_told_at_its_soft_timeout(make: Make, kind: str, name: str) -> None:
    done = run_one(make, kind, name)
    assert (done.outcome, done.move) == ("timeout", Move.RETRY)
    assert "soft_timeout of 0.3 s" in (done.error or "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["tidy_up", "tidy_up_async"])
def test_a_job_that_returns_when_it_is_told_has_succeeded(make: Make, kind: str, name: str, tmp_path: Path) -> None:
    done = run_one(make, kind, name, str(tmp_path / "log"), timeout=0.3, store_result=True)
    assert (done.outcome, done.result) == ("succeeded", '"partly"')
    assert lines_of(tmp_path / "log") == ["tidied"]


def test_a_task_says_what_becomes_of_a_job_that_ran_too_long(make: Make) -> None:
    bench = make("async", 2, **QUICK)
    buried, cancelled = bench.run(
        [
            claim("", target=f"{STUBBORN}:hang_and_be_buried", timeout=0.3),
            claim("", target=f"{STUBBORN}:hang_and_be_cancelled", timeout=0.3),
        ]
    )
    assert (buried.move, buried.outcome, buried.reason) == (Move.END, "timeout", "timeout")
    assert (cancelled.move, cancelled.outcome, cancelled.reason) == (Move.END, "cancelled", None)


def test_a_job_that_asks_for_another_attempt_when_it_is_told_gets_it(make: Make) -> None:
    done = run_one(make, "process", "ask_for_more", timeout=0.3)
    assert (done.outcome, done.move, done.delay) == ("failed", Move.RETRY, 9)


def test_the_last_timeout_uses_the_job_up(make: Make) -> None:
    done = run_one(make, "thread", "hang", timeout=0.3, max_attempts=1)
    assert (done.outcome, done.reason) == ("timeout", "exhausted")


@pytest.mark.parametrize(
    "name",
    [
        "swallow",
        pytest.param("swallow_async", marks=pytest.mark.faults),
        pytest.param("hold_the_gil", marks=pytest.mark.faults),
        pytest.param("stop_oneself", marks=pytest.mark.faults),
    ],
)
def test_a_child_whose_job_does_not_end_is_killed_and_replaced(make: Make, name: str) -> None:
    bench = make("process", 1, **QUICK)
    (before,) = bench.children
    (done,) = bench.run([claim("", target=f"{STUBBORN}:{name}", timeout=0.3)])
    assert (done.outcome, done.move, done.error_type) == ("timeout", Move.RETRY, "pgqueue.HardTimeout")
    assert "timeout of 0.3 s" in (done.error or "")
    assert "SIGTERM" in (done.error or "") or "SIGKILL" in (done.error or "")
    assert not is_alive(before)
    assert bench.run([claim("", 0, target=f"{STUBBORN}:return_at_the_limit")])[0].outcome == "succeeded"


def test_the_history_shows_where_a_killed_job_hung(make: Make) -> None:
    done = run_one(make, "process", "swallow", timeout=0.3)
    assert "in swallow" in (done.traceback or "")
    assert "pgqueue/worker" not in (done.traceback or "")


@pytest.mark.faults
def test_what_a_killed_job_started_dies_with_it(make: Make, tmp_path: Path) -> None:
    done = run_one(make, "process", "ignore_signals", str(tmp_path / "pids"), timeout=0.5)
    assert "SIGKILL" in (done.error or "")
    (grandchild,) = map(int, lines_of(tmp_path / "pids"))
    wait_until(lambda: not is_alive(grandchild))


@pytest.mark.faults
@pytest.mark.parametrize(("kind", "name"), [("thread", "swallow"), ("async", "swallow_async"), ("async", "swallow")])
def test_a_thread_or_coroutine_that_does_not_end_is_settled_and_retires_its_worker(
    make: Make, kind: str, name: str
) -> None:
    bench = make(kind, 2, **QUICK)
    (done,) = bench.run([claim("", target=f"{STUBBORN}:{name}", timeout=0.3)])
    assert (done.outcome, done.error_type) == ("timeout", "pgqueue.HardTimeout")
    wait_until(lambda: bench.retired)
    assert f"{STUBBORN}:{name}" in bench.retired[0]
    wait_until(lambda: bench.executor.load() == 0)
    began = time.monotonic()
    assert bench.executor.stop(5.0) == []
    assert time.monotonic() - began < 4


def test_a_coroutine_that_blocks_the_loop_retires_its_worker(make: Make) -> None:
    bench = make("async", 2, **QUICK)
    (done,) = bench.run([claim("", 3, target=f"{STUBBORN}:block_loop", timeout=0.3)])
    assert done.outcome == "timeout"
    assert "in block_loop" in (done.traceback or "")
    wait_until(lambda: bench.retired)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_never_reaches_the_next_job(make: Make, kind: str) -> None:
    bench = make(kind, 1, apps=(STUBBORN,), grace=5.0)
    done = bench.run(
        [
            claim("", 0.1, target=f"{STUBBORN}:return_at_the_limit", timeout=0.1 + n / 500)
            for n in range(12)
            for _ in "ab"
        ]
        + [claim("", 0.0, target=f"{STUBBORN}:return_at_the_limit", timeout=30) for _ in range(20)]
    )
    assert {each.outcome for each in done[24:]} == {"succeeded"}
    assert {each.outcome for each in done[:24]} <= {"succeeded", "timeout"}
    assert bench.retired == []


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["insert_and_hang", "insert_and_hang_async"])
def test_a_transactional_job_past_its_timeout_leaves_nothing(
    start: StartThreaded, desk: Desk, kind: str, name: str
) -> None:
    start(executor=kind, app=[STUBBORN])
    job = desk.send(f"{STUBBORN}:{name}", "in python", timeout=0.5, max_attempts=1)
    assert desk.await_state(job).state == "dead"
    assert desk.outcomes(job) == ["timeout"]
    assert desk.one("select count(*) from effects") == 0


@pytest.mark.faults
@pytest.mark.parametrize("name", ["insert_and_hang", "insert_and_hang_async"])
def test_the_query_of_a_job_that_is_out_of_time_ends_with_it(start: StartThreaded, desk: Desk, name: str) -> None:
    start(executor="process", app=[STUBBORN])
    job = desk.send(f"{STUBBORN}:{name}", "in the database", timeout=0.5, max_attempts=1)
    assert desk.await_state(job).state == "dead"
    query = "select count(*) from pg_stat_activity where query like '%%pg_sleep(60)%%' and pid <> pg_backend_pid()"
    wait_until(lambda: desk.one(query + " and state = 'active'") == 0)
    assert desk.one("select count(*) from effects") == 0


@pytest.mark.faults
def test_a_stopped_child_is_killed_at_the_limit_of_its_job(make: Make, tmp_path: Path) -> None:
    bench = make("process", 1, **QUICK)
    (child,) = bench.children
    bench.executor.submit([claim("", str(tmp_path / "log"), target=f"{STUBBORN}:hang", timeout=1)])
    wait_until((tmp_path / "log").exists)
    os.kill(child, signal.SIGSTOP)
    wait_until(lambda: bench.finished)
    assert bench.finished[0].settlement.outcome == "timeout"
    assert not is_alive(child)
