"""Whatever raises besides: the error of the job itself is what people find; and what only looks like one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue.job import NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.tasks import Modules
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.middleware import load_middleware
from tests.worker import group_tasks
from tests.worker.claims import claim, claim_one
from tests.worker.running import Desk, StartThreaded

TASKS = group_tasks.__name__
Run = Callable[..., Settlement]


@pytest.fixture
def run(dsn: str) -> Iterator[Run]:
    """Run a claim of one of the tasks; with `within`, inside of those middlewares."""
    runners: list[Attempts] = []

    def run(name: str, *args: Any, within: tuple[str, ...] = (), **changes: Any) -> Settlement:
        runners.append(Attempts(dsn, Modules((TASKS,)), load_middleware([f"{TASKS}:{each}" for each in within])))
        return runners[-1].run(claim("", *args, target=f"{TASKS}:{name}", **changes)).settlement

    yield run
    for each in runners:
        each.close()


@pytest.mark.parametrize(
    ("name", "said"), [("with_broken_policy", "can't multiply"), ("with_absurd_policy", "a delay must")]
)
def test_a_policy_that_raises_hides_no_error(run: Run, name: str, said: str) -> None:
    done = run(name)
    assert (done.move, done.error_type, done.error) == (Move.RETRY, "ConnectionError", "the bank does not answer")
    # As the default policy says.
    assert 15 <= done.delay <= 16.5
    assert said in (done.traceback or "")


@pytest.mark.parametrize("name", ["failing", "failing_async"])
def test_a_middleware_that_raises_hides_no_error(run: Run, name: str) -> None:
    done = run(name, within=("raising_after",))
    assert (done.move, done.error_type, done.error) == (Move.RETRY, "ConnectionError", "the bank does not answer")
    assert "round the task this was raised, too" in (done.traceback or "")
    assert "the tracer is away" in (done.traceback or "")


def test_a_middleware_may_choose_the_outcome(run: Run) -> None:
    done = run("failing", within=("burying",))
    assert (done.move, done.reason) == (Move.END, "buried")
    assert "the bank does not answer" in (done.traceback or "")


def test_a_middleware_that_raises_after_a_success_fails_its_job(run: Run) -> None:
    done = run("two", 1, within=("raising_after",))
    assert (done.move, done.error_type) == (Move.RETRY, "RuntimeError")


def test_what_has_committed_stays_a_success_whatever_a_middleware_raises(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("create table effects (value int)")
        taken = claim_one(conn, NewJob(f"{TASKS}:committing"))
    runner = Attempts(dsn, Modules((TASKS,)), load_middleware([f"{TASKS}:raising_after"]))
    done = runner.run(taken).settlement
    runner.close()
    assert (done.move, done.outcome) == (Move.NOTHING, "succeeded")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("two", ""),
        ("two", "[1, 2, 3]"),
        ("two", '{"first": 1, "third": 3}'),
        ("two_async", "[1, 2]"),
        ("two_in_transaction", "[1, 2]"),
        ("decorated", '{"no": "such"}'),
    ],
)
def test_a_call_that_does_not_fit_its_task_is_dead_at_once(run: Run, name: str, args: str) -> None:
    done = run(name, args=args or "[]")
    assert (done.move, done.reason) == (Move.END, "unbindable")
    assert f"its arguments are {name}(" in (done.error or "")


@pytest.mark.parametrize(("name", "args"), [("own_type_error", "[1]"), ("two", '["a", 1]')])
def test_a_type_error_of_the_task_itself_is_a_failure(run: Run, name: str, args: str) -> None:
    done = run(name, args=args)
    assert (done.move, done.error_type) == (Move.RETRY, "TypeError")


@pytest.mark.parametrize("how", ["plain", "caused", "grouped"])
@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_transaction_that_was_undone_for_another_one_costs_no_attempt(run: Run, state: str, how: str) -> None:
    done = run("raise_state", state, how, attempt=2, claim=5)
    assert (done.move, done.outcome) == (Move.RELEASE, "released")
    assert 0 <= done.delay <= 0.2 * 2**3
    assert "undone" in (done.traceback or "")


def test_one_that_is_undone_for_ever_is_charged(run: Run) -> None:
    assert run("raise_state", "40P01", "plain", claim=100).move is Move.RETRY
    assert run("raise_state", "40P01", "plain", claim=100, attempt=2).reason == "exhausted"


def test_other_errors_of_a_transaction_are_charged(run: Run) -> None:
    assert run("raise_state", "23505", "plain").move is Move.RETRY


def test_two_jobs_that_wait_for_each_other_both_succeed_at_their_only_attempt(
    desk: Desk, start: StartThreaded, tmp_path: Path
) -> None:
    desk.conn.execute("insert into effects values (1), (2)")
    start(executor="thread", concurrency=2, app=[TASKS])
    jobs = [desk.send(f"{TASKS}:lock_crosswise", *pair, str(tmp_path)) for pair in ((1, 2), (2, 1))]
    assert [desk.await_state(job_id, timeout=30).state for job_id in jobs] == ["succeeded", "succeeded"]
    released = "select error_type from pgqueue.attempts where outcome = 'released'"
    assert [kind for (kind,) in desk.conn.execute(released)] == ["psycopg.errors.DeadlockDetected"]
