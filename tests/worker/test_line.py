"""The line to the database of an attempt that runs: its own connection, its own transactions, and nobody's hang."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.job import Claim, NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.store.line import MOST, Line
from pgqueue.tasks import Modules
from pgqueue.worker.attempts.attempt import Attempts
from tests.waiting import wait_until
from tests.worker import line_tasks
from tests.worker.benches import KINDS, Make
from tests.worker.claims import claim, claim_one

TASKS = line_tasks.__name__


@pytest.fixture
def effects(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    conn.execute("create table effects (value int)")
    conn.commit()
    return conn


@pytest.fixture
def attempts(dsn: str, effects: psycopg.Connection[Any]) -> Iterator[Attempts]:
    runner = Attempts(dsn, Modules((TASKS,)), ())
    yield runner
    runner.close()


def made_up(name: str, *args: Any) -> Claim:
    return claim("", *args, target=f"{TASKS}:{name}", store_result=True)


def values(conn: psycopg.Connection[Any]) -> list[int]:
    rows = conn.execute("select value from effects order by value").fetchall()
    conn.commit()
    return [row[0] for row in rows]


def run(attempts: Attempts, name: str, *args: Any) -> Settlement:
    return attempts.run(made_up(name, *args)).settlement


@pytest.mark.parametrize("kind", KINDS)
def test_every_executor_gives_its_attempts_a_line(
    make: Make, effects: psycopg.Connection[Any], dsn: str, kind: str
) -> None:
    bench = make(kind, 1, dsn=dsn, apps=(TASKS,))
    done = bench.run([made_up("plain", 1), made_up("plain_async", 2), made_up("plain", 3, "x"), made_up("plain", 4)])
    assert [each.move for each in done] == [Move.SUCCEED, Move.SUCCEED, Move.RETRY, Move.SUCCEED]
    # One connection, whatever the job before did, and what was written stands whatever became of its attempt.
    assert done[0].result == done[3].result
    assert values(effects) == [1, 2, 3, 4]
    bench.executor.stop(5)
    wait_until(lambda: not _lines(effects), message="the lines closed with the executor")


@pytest.mark.parametrize("name", ["within", "within_async"])
def test_what_is_done_within_the_transaction_of_a_task_shares_its_end(
    attempts: Attempts, effects: psycopg.Connection[Any], name: str
) -> None:
    failed = attempts.run(claim_one(effects, NewJob(f"{TASKS}:{name}", [1, "x"]))).settlement
    assert (failed.move, failed.error) == (Move.RETRY, "x")
    assert values(effects) == [101]
    done = attempts.run(claim_one(effects, NewJob(f"{TASKS}:{name}", [2]), worker=2)).settlement
    assert done.outcome == "succeeded"
    assert values(effects) == [2, 101, 102]


def test_no_call_stops_the_event_loop_of_its_task(attempts: Attempts, effects: psycopg.Connection[Any]) -> None:
    assert run(attempts, "from_everywhere").error is None
    assert run(attempts, "in_a_loop_of_its_own", 4).error is None
    assert values(effects) == [1, 2, 3, 4]


def test_however_many_write_at_once_they_share_a_few_connections(
    attempts: Attempts, effects: psycopg.Connection[Any]
) -> None:
    assert int(run(attempts, "many", 50).result or 0) <= MOST
    assert run(attempts, "many_threads", 50).error is None
    assert len(values(effects)) == 100
    assert len(_lines(effects)) <= 2 * MOST


def test_a_line_that_broke_while_nobody_used_it_costs_no_attempt(
    attempts: Attempts, effects: psycopg.Connection[Any]
) -> None:
    for value in (1, 2):
        assert run(attempts, "plain", value).move is Move.SUCCEED
        assert run(attempts, "plain_async", value).move is Move.SUCCEED
        effects.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = %s", [LINE]
        )
        effects.commit()
    assert values(effects) == [1, 1, 2, 2]


def test_a_line_that_is_lost_or_hangs_is_the_exception_of_its_task_alone(
    attempts: Attempts, effects: psycopg.Connection[Any]
) -> None:
    lost = run(attempts, "run_sql", "select pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())")
    assert (lost.move, lost.error_type) == (Move.RETRY, "psycopg.errors.AdminShutdown")
    assert run(attempts, "plain", 1).move is Move.SUCCEED
    (kept,) = attempts._wire._free
    kept.conn.deadline = 0.2
    hung = run(attempts, "run_sql", "select pg_catalog.pg_sleep(20)::text")
    assert (hung.move, hung.error) == (Move.RETRY, "no answer within 0.2 s, and no sign that the connection lives")
    assert run(attempts, "plain", 2).move is Move.SUCCEED


def test_a_database_that_cannot_be_reached_is_the_exception_of_the_task(effects: psycopg.Connection[Any]) -> None:
    attempts = Attempts("host=127.0.0.1 port=1 dbname=nowhere", Modules((TASKS,)), ())
    for name in ("plain", "plain_async"):
        done = run(attempts, name, 1)
        assert (done.move, done.error_type) == (Move.RETRY, "pgqueue.errors.DatabaseUnreachable")
    attempts.close()


def test_a_job_that_closes_files_or_forks_leaves_the_line_of_others_alone(
    make: Make, effects: psycopg.Connection[Any], dsn: str
) -> None:
    bench = make("process", 1, dsn=dsn, apps=(TASKS,))
    forked, closed, after = bench.run([made_up("fork"), made_up("close_socket"), made_up("plain", 4)])
    assert forked.result == "7"
    assert (closed.move, after.move) == (Move.SUCCEED, Move.SUCCEED)
    assert values(effects) == [1, 1, 3, 4]


def test_a_test_can_give_a_line_that_leaves_with_its_transaction(effects: psycopg.Connection[Any]) -> None:
    line = Line.on(effects)
    line.finish(line.run(line_tasks.put(1)), "")
    line.finish(line.run_within(line_tasks.put(2)), "")
    effects.rollback()
    assert values(effects) == []


LINE = "pgqueue line"


def _lines(conn: psycopg.Connection[Any]) -> list[Any]:
    rows = conn.execute(
        "select pid from pg_stat_activity where application_name = %s and datname = current_database()", [LINE]
    ).fetchall()
    conn.commit()
    return rows
