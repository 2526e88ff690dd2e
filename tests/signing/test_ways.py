"""Every way into the queue signs, and what the database does with a job afterwards leaves it trusted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import pgqueue
from pgqueue.enqueuing import stays
from pgqueue.job import NewJob
from tests.signing import tasks
from tests.signing.conftest import Work, end_of
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]
HERE = tasks.HERE


def ran() -> list[tuple[str, Any]]:
    return sorted(tasks.ran, key=str)


def dead(conn: Conn) -> list[Any]:
    """What is dead, and why: nothing, where all was trusted."""
    return conn.execute("select target, args::text, reason, error from pgqueue.dead_jobs order by id").fetchall()


def test_every_way_to_enqueue_signs(conn: Conn, keys: Path, work: Work, dsn: str) -> None:
    tasks.pay.enqueue(conn, 1)
    pgqueue.enqueue(conn, f"{HERE}:pay", {"amount": 2, "note": "ü\n\"'\\"}, queue="q", labels={"b": "1", "a": "ü"})
    pgqueue.enqueue(conn, f"{HERE}:pay", [3], unique_key="k", max_attempts=3, run_at=datetime.now(UTC))
    pgqueue.enqueue(conn, f"{HERE}:pay", [4], job_id=uuid4(), ttl=60)
    pgqueue.enqueue_many(conn, [NewJob(f"{HERE}:pay", [n]) for n in range(10, 13)])
    pgqueue.enqueue_many(conn, [NewJob(f"{HERE}:pay", [n], unique_key=str(n)) for n in range(20, 23)])
    pgqueue.enqueue_many(conn, [NewJob(f"{HERE}:pay", [100 + n], queue="q") for n in range(120)])
    with pgqueue.bound(conn):
        tasks.pay.delay(5)
    tasks.bring.enqueue(conn, 30)

    async def enqueue_async() -> None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other:
            await pgqueue.enqueue(other, f"{HERE}:pay", [6])
            await pgqueue.enqueue_many(other, [NewJob(f"{HERE}:pay", [7], unique_key="7")])

    asyncio.run(enqueue_async())
    work()
    assert dead(conn) == []
    amounts = sorted(amount for name, amount in tasks.ran if name == "pay")
    assert amounts == [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 20, 21, 22, 30, 31, *range(100, 220)]


def test_a_job_that_replaces_another_is_signed_for_the_id_that_stays(conn: Conn, keys: Path, work: Work) -> None:
    first = pgqueue.enqueue(conn, f"{HERE}:pay", [1], unique_key="k")
    again = pgqueue.enqueue(conn, f"{HERE}:pay", [2], unique_key="k", on_conflict="replace")
    assert (again.id, again.replaced) == (first.id, True)
    pgqueue.enqueue_many(conn, [NewJob(f"{HERE}:pay", [3], unique_key="k", on_conflict="replace")])
    work()
    assert dead(conn) == []
    assert tasks.ran == [("pay", 3)]


def test_workflows_are_signed_with_what_is_filled_in(conn: Conn, keys: Path, work: Work) -> None:
    first = tasks.pay.job(1)
    second = tasks.pay.job(amount=2)
    pgqueue.chord([first, second], tasks.total.job(pgqueue.results)).enqueue(conn)
    flow = pgqueue.Workflow("graph")
    a = flow.add(tasks.pay, 3)
    flow.add(tasks.total, a.result, "by place")
    flow.add(tasks.total, label="by name", amounts=a.result)
    flow.enqueue(conn)
    pgqueue.chain(tasks.pay.job(4), tasks.pay.job(pgqueue.previous)).enqueue(conn)
    work()
    assert dead(conn) == []
    assert ("total", [1, 2]) in tasks.ran
    assert tasks.ran.count(("total", 3)) == 2
    assert tasks.ran.count(("pay", 4)) == 2


def test_follow_ups_are_signed_with_their_job_or_declared_by_a_task(conn: Conn, keys: Path, work: Work) -> None:
    pgqueue.enqueue(conn, f"{HERE}:pay", [1], on_success=NewJob(f"{HERE}:clean_up", {"why": "after it"}))
    tasks.fail.enqueue(conn, 2)
    work()
    assert [row[2] for row in dead(conn)] == ["buried"]
    assert ran() == [("clean_up", "after it"), ("clean_up", "declared"), ("fail", 2), ("pay", 1)]


def test_a_follow_up_that_is_followed_is_refused_where_it_is_enqueued(conn: Conn, keys: Path) -> None:
    later = NewJob(f"{HERE}:clean_up", on_success=NewJob(f"{HERE}:clean_up"))
    with pytest.raises(pgqueue.OptionError, match="cannot be signed now"):
        pgqueue.enqueue(conn, f"{HERE}:pay", [1], on_success=later)


def test_fallbacks_retries_and_snoozes_leave_a_job_trusted(conn: Conn, keys: Path, work: Work) -> None:
    fallen = tasks.fall.using(max_attempts=1).enqueue(conn, 1)
    dead_one = tasks.fail.enqueue(conn, 2).id
    work()
    assert ("stand_in", 1) in tasks.ran
    assert end_of(conn, fallen.id)[0] == "succeeded"
    assert pgqueue.retry(conn, dead_one) == "ready"
    conn.execute("select pgqueue.set_priority(%s, 9::smallint)", [dead_one])
    work()
    assert tasks.ran.count(("fail", 2)) == 2
    assert end_of(conn, dead_one)[1] == "buried"


def test_schedules_tick_that_are_signed_or_declared_by_a_task(conn: Conn, keys: Path, work: Work) -> None:
    pgqueue.schedule(conn, "payday", f"{HERE}:pay", {"amount": 7}, cron="0 0 1 1 *", labels={"x": "y"}, queue="q")
    work()
    assert pgqueue.run_schedule(conn, "payday")
    assert pgqueue.run_schedule(conn, f"{HERE}:tick")
    work()
    assert dead(conn) == []
    assert ran() == [("pay", 7), ("tick", None)]


def test_context_travels_signed(conn: Conn, keys: Path, work: Work) -> None:
    pgqueue.travels(tasks.who)
    token = tasks.who.set("ada")
    try:
        tasks.whose.enqueue(conn)
        forged = tasks.whose.enqueue(conn)
        conn.execute(
            "update pgqueue.jobs set headers = replace(headers::text, 'ada', 'eve')::json where id = %s", [forged.id]
        )
        work()
        assert tasks.ran == [("whose", "ada")]
        assert end_of(conn, forged.id) == (
            "dead",
            "untrusted",
            "pgqueue.Untrusted: context changed since it was signed",
        )
    finally:
        tasks.who.reset(token)
        stays(tasks.who)


def test_what_is_signed_for_later_waits_whoever_hurries_it(conn: Conn, keys: Path, work: Work) -> None:
    job = pgqueue.enqueue(conn, f"{HERE}:pay", [1], delay=7200)
    conn.execute("update pgqueue.jobs set run_at = now() where id = %s", [job.id])
    work()
    assert tasks.ran == []
    row = conn.execute("select attempt, run_at - now() from pgqueue.jobs where id = %s", [job.id]).fetchone()
    assert row is not None
    assert row[0] == 0
    assert timedelta(minutes=110) < row[1] <= timedelta(minutes=120)


def test_a_worker_without_the_requirement_runs_everything(conn: Conn, work: Work) -> None:
    unsigned = tasks.pay.enqueue(conn, 1)
    work(require_signature=False)
    assert end_of(conn, unsigned.id)[0] == "succeeded"


def test_signatures_may_be_required_of_some_queues(conn: Conn, keys: Path, work: Work) -> None:
    pgqueue.sign_with(None)
    lenient, strict = (pgqueue.enqueue(conn, f"{HERE}:pay", [1], queue=queue).id for queue in ("web", "pay.out"))
    pgqueue.sign_with(f"file:{keys}")
    work(require_signature=["pay.*"])
    assert end_of(conn, lenient)[0] == "succeeded"
    assert end_of(conn, strict)[1] == "untrusted"


def test_a_worker_that_requires_signatures_needs_keys(dsn: str) -> None:
    with pytest.raises(pgqueue.KeyringError, match="set PGQUEUE_SIGNING_KEYS"):
        pgqueue.Worker(dsn, require_signature=True)


def test_children_sign_what_they_enqueue_with_keys_that_are_not_in_their_environment(
    conn: Conn, keys: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEYS", keys.read_text())
    pgqueue.sign_with("env:SHOP_KEYS")
    brought = tasks.bring.enqueue(conn, 1)
    shown = pgqueue.enqueue(conn, f"{HERE}:environment", store_result=True)
    work(executor="process", concurrency=1)
    assert dead(conn) == []
    children = wait_until(lambda: pgqueue.tree(conn, brought.id)[1:])
    assert [child.state for child in children] == ["succeeded", "succeeded"]
    assert pgqueue.result(conn, shown.id, timeout=5) == []
