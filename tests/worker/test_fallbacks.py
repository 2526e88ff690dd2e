"""Other code goes on where the first cannot, whatever became of it; in the end a human."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import pgqueue
from pgqueue.events import AttemptsFinished
from pgqueue.outcome import Move
from tests.waiting import wait_until
from tests.worker.benches import Make
from tests.worker.claims import claim
from tests.worker.running import KINDS, TWO_KINDS, Desk, StartProcess, StartThreaded

TASKS = "tests.worker.falling_tasks"
QUICK = {"app": [TASKS], "concurrency": 2, "poll": 0.2}


def send(desk: Desk, name: str, *args: object, **options: object) -> object:
    return desk.send(f"{TASKS}:{name}", *args, **options)


def answer(desk: Desk, job_id: object) -> object:
    return pgqueue.result(desk.conn, job_id, timeout=20)  # type: ignore[arg-type]  # an id


@pytest.mark.parametrize("executor", TWO_KINDS)
def test_the_same_arguments_go_to_other_code_of_whatever_executor(
    desk: Desk, start: StartThreaded, executor: str
) -> None:
    worker = start(executor=executor, **QUICK)
    jobs = {name: send(desk, name, 7, store_result=True) for name in ("fail", "fail_async", "hang")}
    for name, job_id in jobs.items():
        assert answer(desk, job_id) == ["naive", 1, 7], name
        assert desk.job(job_id).degraded  # type: ignore[arg-type]  # an id
    assert desk.outcomes(jobs["fail"]) == ["failed", "failed", "succeeded"]  # type: ignore[arg-type]  # as above
    assert desk.outcomes(jobs["hang"]) == ["timeout", "succeeded"]  # type: ignore[arg-type]  # as above
    wait_until(lambda: len(moves(worker)) >= 3)
    assert set(moves(worker)) == {f"{TASKS}:naive"}


def moves(worker: object) -> list[str | None]:
    """What was followed by what, as the worker's observers hear it."""
    told = worker.heard(AttemptsFinished)  # type: ignore[attr-defined]  # a worker under test
    done = [each.settlement for batch in told for each in batch.batch]
    return [each.fallback for each in done if each.move is Move.FALL_BACK]


def test_a_child_that_kills_itself_is_followed_by_other_code(desk: Desk, start: StartThreaded) -> None:
    start(executor="process", **QUICK)
    job_id = send(desk, "crash", 7, store_result=True)
    assert answer(desk, job_id) == ["naive", 1, 7]
    assert desk.outcomes(job_id) == ["crashed", "crashed", "succeeded"]  # type: ignore[arg-type]  # an id


def test_a_worker_that_is_killed_is_followed_where_its_task_says_so(
    desk: Desk, spawn: StartProcess, tmp_path: Path
) -> None:
    victim = spawn(executor="process", lease=2, **QUICK)
    job_id = send(desk, "take_the_worker_along", str(tmp_path / "pid"))
    wait_until((tmp_path / "pid").exists)
    os.killpg(victim.pid, signal.SIGKILL)
    spawn(executor="process", lease=2, **QUICK)
    ended = desk.await_state(job_id, timeout=20)  # type: ignore[arg-type]  # an id
    assert (ended.state, ended.target, ended.degraded) == ("succeeded", f"{TASKS}:naive", True)
    assert desk.outcomes(ended.id) == ["lost", "succeeded"]


@pytest.mark.parametrize("executor", ["process", "thread"])
def test_a_chain_ends_with_a_human_whose_answer_is_the_result(desk: Desk, start: StartThreaded, executor: str) -> None:
    start(executor=executor, **QUICK)
    job_id = send(desk, "first", 7, unique_key="k")
    waiting = desk.await_state(job_id, "manual", timeout=30)  # type: ignore[arg-type]  # an id
    assert (waiting.target, waiting.unique_key) == (f"{TASKS}:unwilling", "k")
    pgqueue.manual_done(desk.conn, waiting, {"by": "hand"})
    assert answer(desk, job_id) == {"by": "hand"}
    assert desk.outcomes(waiting.id) == ["failed", "failed", "failed", "succeeded"]


def test_a_fallback_that_no_worker_knows_waits_for_one_that_does(
    desk: Desk, start: StartThreaded, spawn: StartProcess
) -> None:
    start(executor="thread", **QUICK)
    job_id = send(desk, "send_abroad", "you")
    wait_until(lambda: desk.one("select count(*) from pgqueue.parked") == 1)
    spawn(app=["tests.worker.foreign"], executor="thread")
    ended = desk.await_state(job_id, timeout=30)  # type: ignore[arg-type]  # an id
    assert (ended.state, ended.degraded) == ("succeeded", True)


@pytest.mark.parametrize("executor", TWO_KINDS)
def test_of_a_transactional_task_that_fell_back_nothing_is_left(
    desk: Desk, start: StartThreaded, executor: str
) -> None:
    start(executor=executor, **QUICK)
    ended = desk.await_state(send(desk, "write", 7), timeout=30)  # type: ignore[arg-type]  # an id
    assert (ended.state, ended.degraded) == ("succeeded", True)
    assert desk.values("select value from public.effects") == [107]


@pytest.mark.parametrize("executor", KINDS)
def test_what_a_task_decides_itself_is_followed_by_nothing(make: Make, executor: str) -> None:
    bench = make(executor, 2, apps=(TASKS,))
    buried, once = bench.run([claim("", 7, target=f"{TASKS}:{name}") for name in ("bury", "once")])
    assert (buried.move, buried.reason, buried.fallback) == (Move.END, "buried", None)
    assert (once.move, once.reason, once.fallback) == (Move.FALL_BACK, "not retried", "human")
