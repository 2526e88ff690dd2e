"""One attempt, from its claim to its settlement."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.context import current_job
from pgqueue.errors import AppError, UsageError
from pgqueue.events import Finished
from pgqueue.job import NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, reading
from pgqueue.tasks import Modules
from pgqueue.worker.attempts.async_attempts import AsyncAttempts
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.call import Call, prepare
from pgqueue.worker.attempts.middleware import load_middleware
from tests.worker import sample_tasks
from tests.worker.claims import TASKS, claim, claim_one

APPS = Modules((TASKS,))


@pytest.fixture
def attempts() -> Iterator[Attempts]:
    """Attempts that need no database."""
    runner = Attempts("", APPS, ())
    yield runner
    runner.close()


def settled(finished: Finished) -> Settlement:
    return finished.settlement


def test_what_a_task_returns_is_stored_only_if_asked_for(attempts: Attempts) -> None:
    assert settled(attempts.run(claim("give", {"a": [1]}))).result is None
    assert settled(attempts.run(claim("give", {"a": [1]}, store_result=True))).result == '{"a":[1]}'


@pytest.mark.parametrize("name", ["give", "give_async", "plain"])
def test_every_kind_of_function_runs(attempts: Attempts, name: str) -> None:
    done = settled(attempts.run(claim(name, 5, store_result=True)))
    assert (done.move, done.result) == (Move.SUCCEED, "5")


def test_arguments_by_keyword_arrive_by_keyword(attempts: Attempts) -> None:
    assert settled(attempts.run(claim("give", args='{"value": 7}', store_result=True))).result == "7"


@pytest.mark.parametrize("args", ["[1", "[" * 5000 + "]" * 5000, "[" + "9" * 5000 + "]", "7"])
def test_an_unreadable_row_is_dead_at_once_and_alone(attempts: Attempts, args: str) -> None:
    done = settled(attempts.run(claim("give", args=args)))
    assert (done.move, done.reason) == (Move.END, "unreadable")


def test_unreadable_labels_hurt_their_job_alone(attempts: Attempts) -> None:
    assert settled(attempts.run(claim("nothing", labels="[1]"))).reason == "unreadable"


@pytest.mark.parametrize("target", ["os:system", f"{TASKS}:os.system", f"{TASKS}:Path", f"{TASKS}:__import__"])
def test_a_refused_target_is_buried(attempts: Attempts, target: str) -> None:
    done = settled(attempts.run(claim("", target=target)))
    assert (done.move, done.reason) == (Move.END, "refused")


def test_an_unknown_target_goes_back_for_a_worker_that_knows_it_whatever_its_attempts(attempts: Attempts) -> None:
    first = settled(attempts.run(claim("nothin")))
    assert (first.move, first.started) == (Move.PARK, False)
    assert f"did you mean {TASKS}:nothing?" in (first.error or "")
    last = settled(attempts.run(claim("nothin", attempt=26)))
    assert (last.move, last.reason) == (Move.PARK, None)


def test_a_job_whose_attempts_are_used_up_is_never_started(attempts: Attempts, tmp_path: Any) -> None:
    for changes in ({"attempt": 27}, {"attempt": 3, "max_attempts": 2}):
        done = settled(attempts.run(claim("append", str(tmp_path / "ran"), "x", **changes)))
        assert (done.move, done.reason) == (Move.END, "exhausted")
    assert not (tmp_path / "ran").exists()
    assert settled(attempts.run(claim("fail", "x", attempt=4))).error_type == "Exhausted"


def test_a_failure_is_retried_as_its_task_says(attempts: Attempts) -> None:
    done = settled(attempts.run(claim("fail", "out of paper")))
    assert (done.move, done.error_type, done.error) == (Move.RETRY, "ValueError", "out of paper")
    assert 7 <= done.delay <= 7.7
    assert settled(attempts.run(claim("fail", "x", attempt=3))).reason == "exhausted"
    assert settled(attempts.run(claim("fail_for_good"))).reason == "not retried"


@pytest.mark.parametrize("name", ["fail", "fail_for_good", "raise_builtin", "insert_and"])
def test_a_traceback_begins_in_the_code_of_the_user(attempts: Attempts, name: str, dsn: str) -> None:
    runner = Attempts(dsn, APPS, ())
    with psycopg.connect(dsn) as conn:
        conn.execute("create table effects (value int)")
    argument = {"fail": ["x"], "raise_builtin": ["SystemExit"], "insert_and": ["raise"]}.get(name, [])
    lines = (settled(runner.run(claim(name, *argument))).traceback or "").splitlines()
    assert lines[0].startswith("Traceback")
    assert "sample_tasks.py" in lines[1]
    runner.close()


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt"])
def test_no_exception_leaves_an_attempt(attempts: Attempts, name: str) -> None:
    done = settled(attempts.run(claim("raise_builtin", name)))
    assert (done.move, done.error_type, done.error) == (Move.RETRY, name, "3")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("recurse", "RecursionError"), ("raise_unspeakable", "Unspeakable"), ("raise_in_subtask", "SystemExit")],
)
def test_hostile_exceptions_are_failures(attempts: Attempts, name: str, kind: str) -> None:
    done = settled(attempts.run(claim(name)))
    assert done.move is Move.RETRY
    assert kind in (done.error_type or "")
    assert settled(attempts.run(claim("give_async", 1, store_result=True))).result == "1"


def test_a_task_chooses_its_own_outcome(attempts: Attempts) -> None:
    retry = settled(attempts.run(claim("signal", "retry")))
    assert (retry.move, retry.delay, retry.error, retry.traceback) == (Move.RETRY, 9, "later", None)
    assert settled(attempts.run(claim("signal", "retry as usual"))).delay >= 15
    snooze = settled(attempts.run(claim("signal", "snooze")))
    assert (snooze.move, snooze.delay, snooze.started) == (Move.RELEASE, 60, True)
    bury = settled(attempts.run(claim("signal", "bury")))
    assert (bury.move, bury.reason, bury.error) == (Move.END, "buried", "look at this")
    cancel = settled(attempts.run(claim("signal", "cancel")))
    assert (cancel.move, cancel.outcome, cancel.error) == (Move.END, "cancelled", "not wanted")


def test_a_delay_that_no_clock_can_add_is_a_failure(attempts: Attempts) -> None:
    done = settled(attempts.run(claim("signal", "snooze for ever")))
    assert done.outcome == "failed"
    assert 0 <= done.delay < 3.2e9


def test_a_result_that_is_not_json_fails_for_good_and_says_where(attempts: Attempts) -> None:
    done = settled(attempts.run(claim("unstorable", store_result=True)))
    assert (done.move, done.reason) == (Move.END, "not retried")
    assert 'result["user"]: object is not JSON serialisable' in (done.error or "")
    assert settled(attempts.run(claim("unstorable"))).move is Move.SUCCEED


def test_the_running_job_is_known_to_its_task(attempts: Attempts) -> None:
    known = claim("describe", labels='{"tenant": "a"}', timeout=90, attempt=2, queue="mail", store_result=True)
    assert json.loads(settled(attempts.run(known)).result or "") == {
        "attempt": 2,
        "target": f"{TASKS}:describe",
        "queue": "mail",
        "labels": {"tenant": "a"},
        "left": 90,
    }
    endless = known._replace(timeout=float("inf"))
    assert json.loads(settled(attempts.run(endless)).result or "")["left"] is None
    with pytest.raises(UsageError, match="needs a running job"):
        current_job()


def test_what_a_job_sets_ends_with_it(attempts: Attempts) -> None:
    for _ in range(2):
        assert settled(attempts.run(claim("note_leak", store_result=True))).result == '"clean"'
        assert settled(attempts.run(claim("leave_task_behind", store_result=True))).result == "0"


def test_middleware_works_around_sync_and_async_tasks_alike() -> None:
    runner = Attempts("", APPS, load_middleware([f"{TASKS}:noting"]))
    sample_tasks.seen.clear()
    for name in ("give", "give_async", "fail"):
        runner.run(claim(name, "x"))
    assert sample_tasks.seen == ["enter give", "leave", "enter give_async", "leave", "enter fail", "error"]
    runner.close()


def test_middleware_that_cannot_be_loaded_is_named() -> None:
    for name in ("noting", f"{TASKS}:nowhere", "nowhere:noting", f"{TASKS}:TASKS_VALUE"):
        with pytest.raises(AppError, match=name):
            load_middleware([name])


# Transactional jobs.


@pytest.fixture
def effects(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A connection to a database with tables for the effects of jobs."""
    conn.execute("create table effects (value int)")
    conn.execute("create table unique_effects (value int unique deferrable initially deferred)")
    conn.commit()
    return conn


@pytest.fixture
def transacting(dsn: str) -> Iterator[Attempts]:
    runner = Attempts(dsn, APPS, ())
    yield runner
    runner.close()


def values(conn: psycopg.Connection[Any]) -> list[int]:
    rows = conn.execute("select value from effects order by value").fetchall()
    conn.commit()
    return [row[0] for row in rows]


def state(conn: psycopg.Connection[Any], job_id: Any) -> str:
    job = execute(conn, reading.get(job_id))
    conn.commit()
    assert job is not None
    return str(job.state)


@pytest.mark.parametrize("name", ["insert", "insert_async"])
def test_effects_and_success_commit_together(
    effects: psycopg.Connection[Any], transacting: Attempts, name: str
) -> None:
    for value in range(3):
        taken = claim_one(effects, NewJob(f"{TASKS}:{name}", [value], store_result=True))
        done = settled(transacting.run(taken))
        assert (done.move, done.outcome) == (Move.NOTHING, "succeeded")
        assert state(effects, taken.id) == "succeeded"
        assert execute(effects, reading.result(taken.id)) == (True, value)
    assert values(effects) == [0, 1, 2]


@pytest.mark.parametrize(
    ("then", "kind"),
    [
        ("raise", "ValueError"),
        ("swallow", "TransactionEnded"),
        ("rollback", "TransactionEnded"),
        ("close", "TransactionEnded"),
        ("deferred", "UniqueViolation"),
        ("die", "AdminShutdown"),
        ("complete", "UsageError"),
        ("thread", "TransactionEnded"),
    ],
)
def test_a_transactional_job_that_fails_leaves_nothing(
    effects: psycopg.Connection[Any], transacting: Attempts, then: str, kind: str
) -> None:
    taken = claim_one(effects, NewJob(f"{TASKS}:insert_and", [then]))
    done = settled(transacting.run(taken))
    # Where the server ended the connection, the job is not charged.
    assert done.move is (Move.RELEASE if then == "die" else Move.RETRY)
    assert kind in (done.error_type or "")
    assert values(effects) == []
    assert state(effects, taken.id) == "running"
    # The slot goes on as if nothing had been.
    assert settled(transacting.run(claim_one(effects, NewJob(f"{TASKS}:insert", [5]), worker=2))).move is Move.NOTHING
    assert values(effects) == [5]


@pytest.mark.parametrize("then", ["commit", "commit and begin", "raw commit"])
def test_a_job_that_commits_itself_never_counts_as_succeeded(
    effects: psycopg.Connection[Any], transacting: Attempts, then: str
) -> None:
    taken = claim_one(effects, NewJob(f"{TASKS}:insert_and", [then]))
    done = settled(transacting.run(taken))
    assert (done.move, done.error_type) == (Move.RETRY, "pgqueue.errors.TransactionEnded")
    assert values(effects) == [1]
    assert state(effects, taken.id) == "running"


def test_an_error_inside_a_savepoint_is_the_tasks_own_business(
    effects: psycopg.Connection[Any], transacting: Attempts
) -> None:
    taken = claim_one(effects, NewJob(f"{TASKS}:insert_and", ["savepoint"]))
    assert settled(transacting.run(taken)).move is Move.NOTHING
    assert values(effects) == [1]


def test_a_result_that_cannot_be_stored_rolls_back(effects: psycopg.Connection[Any], transacting: Attempts) -> None:
    taken = claim_one(effects, NewJob(f"{TASKS}:insert_and", ["unstorable"], store_result=True))
    assert settled(transacting.run(taken)).error_type == "Unstorable"
    assert values(effects) == []


@pytest.mark.parametrize("name", ["insert", "insert_async"])
def test_a_late_transactional_attempt_rolls_back(
    effects: psycopg.Connection[Any], transacting: Attempts, name: str
) -> None:
    taken = claim_one(effects, NewJob(f"{TASKS}:{name}", [1]))
    effects.execute("update pgqueue.jobs set claim = claim + 1, worker = 99")
    effects.commit()
    assert settled(transacting.run(taken)).outcome == "late"
    assert values(effects) == []


def test_a_job_leaves_no_trace_in_the_session_of_the_next(
    effects: psycopg.Connection[Any], transacting: Attempts
) -> None:
    before = claim_one(effects, NewJob(f"{TASKS}:inspect_session", store_result=True))
    assert settled(transacting.run(before)).move is Move.NOTHING
    assert settled(transacting.run(claim_one(effects, NewJob(f"{TASKS}:soil_session"), worker=2))).move is Move.NOTHING
    after = claim_one(effects, NewJob(f"{TASKS}:inspect_session", store_result=True), worker=3)
    assert settled(transacting.run(after)).move is Move.NOTHING
    clean = execute(effects, reading.result(before.id))[1]
    assert execute(effects, reading.result(after.id))[1] == clean
    assert clean[:7] == [True, '"$user", public', True, 0, 0, 0, "read committed"]


def test_a_connection_that_a_job_kept_cannot_reach_the_next_one(
    effects: psycopg.Connection[Any], transacting: Attempts
) -> None:
    transacting.run(claim_one(effects, NewJob(f"{TASKS}:keep_connection")))
    conn, cursor = sample_tasks.kept
    assert conn.closed
    assert conn.lock.locked()
    assert cursor.connection is conn


def test_a_connection_that_broke_while_idle_costs_no_attempt(
    effects: psycopg.Connection[Any], transacting: Attempts
) -> None:
    transacting.run(claim_one(effects, NewJob(f"{TASKS}:insert", [1])))
    effects.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgqueue job'")
    effects.commit()
    done = transacting.run(claim_one(effects, NewJob(f"{TASKS}:insert", [2]), worker=2))
    assert settled(done).move is Move.NOTHING
    assert values(effects) == [1, 2]


def test_a_middleware_that_swallows_does_not_make_a_rolled_back_job_succeed(
    effects: psycopg.Connection[Any], dsn: str
) -> None:
    runner = Attempts(dsn, APPS, load_middleware([f"{TASKS}:swallowing"]))
    taken = claim_one(effects, NewJob(f"{TASKS}:insert_and", ["raise"]))
    done = settled(runner.run(taken))
    assert (done.move, done.error_type) == (Move.RETRY, "ValueError")
    assert "a middleware swallowed the exception" in (done.traceback or "")
    assert settled(runner.run(claim("fail", "x"))).move is Move.SUCCEED
    runner.close()


@pytest.mark.parametrize(
    ("then", "move", "left"), [("", Move.SUCCEED, [1]), ("rollback", Move.SUCCEED, []), ("raise", Move.RETRY, [1])]
)
def test_a_job_can_settle_in_a_transaction_of_its_own(
    effects: psycopg.Connection[Any], transacting: Attempts, dsn: str, then: str, move: Move, left: list[int]
) -> None:
    taken = claim_one(effects, NewJob(f"{TASKS}:complete_in_own_transaction", [dsn, then]))
    assert settled(transacting.run(taken)).move is move
    assert values(effects) == left
    assert state(effects, taken.id) == ("running" if then == "rollback" else "succeeded")


def test_completing_a_lost_job_raises_and_is_late(
    effects: psycopg.Connection[Any], transacting: Attempts, dsn: str
) -> None:
    taken = claim_one(effects, NewJob(f"{TASKS}:complete_in_own_transaction", [dsn, ""]))
    effects.execute("update pgqueue.jobs set claim = claim + 1, worker = 99")
    effects.commit()
    assert settled(transacting.run(taken)).move is Move.LATE
    assert values(effects) == []


def test_async_transactional_jobs_run_side_by_side(effects: psycopg.Connection[Any], dsn: str) -> None:
    taken = [claim_one(effects, NewJob(f"{TASKS}:insert_async", [value]), worker=value + 1) for value in range(4)]

    async def run() -> list[Any]:
        runner = AsyncAttempts(dsn, ())
        calls = [prepare(each, {}, APPS, time.monotonic()) for each in taken]
        outcomes = await asyncio.gather(*(runner.run(call) for call in calls if isinstance(call, Call)))
        runner.close()
        return outcomes

    assert all(outcome.settled for outcome in asyncio.run(run()))
    assert values(effects) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["insert", "insert_async"])
def test_a_transactional_job_that_gets_no_connection_gives_its_attempt_back(name: str) -> None:
    attempts = Attempts("host=127.0.0.1 port=1 dbname=nowhere", APPS, ())
    done = settled(attempts.run(claim(name, 1)))
    attempts.close()
    assert (done.move, done.delay > 0) == (Move.RELEASE, True)
