"""drain(): what is queued runs by the worker's own statements, in the test's transaction or at a DSN."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import pgqueue
from pgqueue.errors import AppError
from pgqueue.testing import AttemptFailed, NotQuiet, Ran, drain, enqueued
from tests.conftest import Connect
from tests.testing import tasks
from tests.testing.conftest import charges

Conn = psycopg.Connection[Any]


def kinds(ran: list[Ran]) -> list[tuple[str, str]]:
    return [(each.target.partition(":")[2], each.outcome) for each in ran]


def count(conn: Conn, table: str) -> int:
    (number,) = conn.execute(f"select count(*) from pgqueue.{table}").fetchone() or (0,)
    return int(number)


def test_jobs_of_an_open_transaction_run_in_it_and_a_rollback_undoes_all(conn: Conn, connect: Connect) -> None:
    tasks.charge.enqueue(conn, 42)
    ran = drain(conn)
    assert kinds(ran) == [("charge", "succeeded"), ("send", "succeeded")]
    assert [each.value for each in ran] == [42, "sent 42"]
    assert ran[1].log == ("sent 42",)
    assert charges(conn) == [42]
    assert pgqueue.get_job(conn, ran[1].id).state == "succeeded"
    assert [line.line for line in pgqueue.job_logs(conn, ran[1].id)] == ["sent 42"]
    conn.rollback()
    with connect(autocommit=True) as other:
        assert charges(other) == []
        assert [count(other, table) for table in ("jobs", "attempts", "workers", "job_logs")] == [0] * 4


@pytest.mark.parametrize("where", ["dsn", "autocommit", "session"])
def test_it_runs_what_is_committed_in_whatever_way_it_gets_there(where: str, dsn: str, connect: Connect) -> None:
    own = connect(autocommit=True)
    tasks.charge.enqueue(own, 1)
    tasks.charge_async.enqueue(own, 2)
    match where:
        case "dsn":
            ran = drain(dsn)
        case "autocommit":
            ran = drain(own)
        case _:
            engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
            with Session(engine) as session, session.begin():
                ran = drain(session)
            engine.dispose()
    assert sorted(kinds(ran)) == [
        ("charge", "succeeded"),
        ("charge_async", "succeeded"),
        ("send", "succeeded"),
        ("send", "succeeded"),
    ]
    assert charges(own) == [1, 2]
    assert count(own, "workers") == 0


def test_on_an_async_connection_coroutines_run_in_the_tests_own_loop(dsn: str) -> None:
    async def main() -> tuple[list[Ran], list[Any]]:
        async with await psycopg.AsyncConnection.connect(dsn) as aconn:
            await tasks.charge_async.enqueue(aconn, 1)
            await tasks.charge.enqueue(aconn, 2)
            await tasks.wait_for.enqueue(aconn, 0.01)
            ran = await drain(aconn)
            rows = await (await aconn.execute("select order_id from charges order by 1")).fetchall()
            await aconn.rollback()
            return ran, rows

    ran, rows = asyncio.run(main())
    assert all(each.succeeded for each in ran)
    assert len(ran) == 5
    assert rows == [(1,), (2,)]


def test_a_sync_drain_works_in_an_async_test(conn: Conn) -> None:
    tasks.wait_for.enqueue(conn, 0.01)

    async def main() -> list[Ran]:
        return drain(conn)

    assert kinds(asyncio.run(main())) == [("wait_for", "succeeded")]


def test_a_task_is_lent_a_connection_as_a_worker_makes_it(connect: Connect) -> None:
    conn = connect(row_factory=dict_row, prepare_threshold=0)
    conn.execute("select 1")
    tasks.charge.enqueue(conn, 1)
    drain(conn)
    drain(conn)
    assert conn.execute("select order_id from charges").fetchall() == [{"order_id": 1}]


def test_a_failure_is_raised_with_its_cause_and_settled_as_a_worker_would(conn: Conn) -> None:
    job = tasks.fail.enqueue(conn)
    with pytest.raises(AttemptFailed, match=r"tasks:fail .*LookupError: no route; runs again in 60 s") as raised:
        drain(conn)
    assert isinstance(raised.value.__cause__, LookupError)
    assert kinds(raised.value.ran) == [("fail", "failed")]
    found = pgqueue.get_job(conn, job.id)
    assert (found.state, found.attempt) == ("retrying", 1)


def test_outcomes_are_answered_where_failures_are_asked_for(conn: Conn) -> None:
    tasks.fail.using(max_attempts=1).enqueue(conn)
    for what in ("retry", "snooze", "cancel", "bury"):
        tasks.wish.enqueue(conn, what)
    dead, retry, snooze, cancel, bury = drain(conn, raises=False)
    assert (dead.reason, dead.failed, dead.ended) == ("exhausted", True, True)
    assert (retry.outcome, retry.retry_in, retry.failed) == ("failed", 5.0, False)
    assert (snooze.outcome, snooze.retry_in, snooze.failed) == ("released", 30.0, False)
    assert (cancel.outcome, cancel.failed) == ("cancelled", False)
    assert (bury.reason, bury.failed) == ("buried", True)


def test_a_failed_transactional_task_leaves_the_rest_of_the_transaction(conn: Conn) -> None:
    conn.execute("insert into charges values (7)")
    tasks.charge_and_fail.enqueue(conn, 42)
    (ran,) = drain(conn, raises=False)
    assert str(ran.error) == "no order 42"
    assert charges(conn) == [7]


def test_a_task_that_swallowed_an_error_fails_as_in_a_worker(conn: Conn) -> None:
    tasks.swallow_error.enqueue(conn)
    (ran,) = drain(conn, raises=False)
    assert ran.outcome == "failed"
    assert "swallowed an error" in (ran.message or "")
    assert charges(conn) == []


def test_order_limits_ttl_and_pause_hold(conn: Conn) -> None:
    tasks.send.using(priority=1).enqueue(conn, 1)
    tasks.send.using(priority=9).enqueue(conn, 2)
    tasks.limited.enqueue(conn, "a")
    tasks.limited.enqueue(conn, "a")
    tasks.send.using(queue="paused").enqueue(conn, 3)
    pgqueue.pause_queue(conn, "paused")
    ran = drain(conn)
    assert [each.value for each in ran if each.target.endswith("send")] == ["sent 2", "sent 1"]
    assert sum(each.target.endswith("limited") for each in ran) == 2
    assert [job.queue for job in enqueued(conn)] == ["paused"]


def test_what_is_not_due_is_left(conn: Conn) -> None:
    tasks.send.using(delay=60).enqueue(conn, 1)
    assert drain(conn) == []


def test_it_ends_after_as_many_jobs_as_it_may_run(conn: Conn) -> None:
    tasks.again.enqueue(conn)
    with pytest.raises(NotQuiet, match=r"after 5 attempts \(max_jobs=5\) .*tasks:again is still due") as raised:
        drain(conn, max_jobs=5)
    assert len(raised.value.ran) == 5
    assert [job.attempt for job in enqueued(conn)] == [0]


def test_a_task_hears_of_its_timeout_and_of_that_of_the_drain(conn: Conn, dsn: str, connect: Connect) -> None:
    tasks.spin.enqueue(conn)
    with pytest.raises(AttemptFailed, match=r"ran longer than its timeout of 0\.3 s"):
        drain(conn)
    other = connect(autocommit=True)
    tasks.spin.using(timeout=100).enqueue(other)
    with pytest.raises(AttemptFailed, match="timeout"):
        drain(dsn, timeout=1)


def test_a_task_nobody_imported_is_trouble(conn: Conn) -> None:
    pgqueue.enqueue(conn, "shop.nowhere:send")
    with pytest.raises(AttemptFailed, match=r"no task shop\.nowhere:send here"):
        drain(conn)
    with pytest.raises(AppError, match="cannot import shop"):
        drain(conn, app=["shop.nowhere"])


def test_schedules_that_are_due_fire(conn: Conn) -> None:
    pgqueue.schedule(conn, "often", tasks.send, args=[1], every=3600)
    conn.execute("update pgqueue.schedules set last_at = now() - interval '1 hour', next_at = now() - interval '1 s'")
    assert kinds(drain(conn)) == [("send", "succeeded")]


def test_hooks_are_told(conn: Conn) -> None:
    tasks.heard.clear()
    tasks.hooked.enqueue(conn)
    drain(conn)
    assert tasks.heard == ["tests.testing.tasks:hooked"]


def test_fallbacks_go_on_with_the_job(conn: Conn) -> None:
    job = tasks.price.enqueue(conn, 1)
    failed, done = drain(conn, raises=False)
    assert (failed.id, failed.fallback, failed.reason, failed.ended) == (job.id, tasks.guess.target, None, False)
    assert (done.id, done.value) == (job.id, 9)
    tasks.price.enqueue(conn, 2)
    assert [(each.fallback, each.retry_in) for each in drain(conn, raises=False)] == [
        (tasks.guess.target, 0.0),
        ("human", None),
    ]
    tasks.price.enqueue(conn, 2)
    with pytest.raises(AttemptFailed, match=r"falls back to tests\.testing\.tasks:guess"):
        drain(conn)
