"""What jobs bring along, follow-ups and effects, as drain(), eager() and run_job() have them."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from pgqueue.errors import UsageError
from pgqueue.testing import drain, eager, enqueued, run_job, run_job_async, time_travel
from tests.conftest import Connect
from tests.testing import tasks

Conn = psycopg.Connection[Any]


def test_what_a_job_gathers_is_enqueued_with_its_success(conn: Conn) -> None:
    tasks.bring.enqueue(conn, 1)
    brought, effect = drain(conn)
    assert effect.value == "sent 2"
    first, second = brought.enqueued
    assert (first.target, first.args, first.is_effect, first.options) == (tasks.send.target, [1], False, first.options)
    assert (second.args, second.is_effect) == ([2], True)
    assert [job.id for job in enqueued(conn)] == [first.id]
    with time_travel(conn, 60):
        assert [each.value for each in drain(conn)] == ["sent 1"]


def test_follow_ups_of_an_end_run(conn: Conn) -> None:
    tasks.end.enqueue(conn, True)
    tasks.end.enqueue(conn, False)
    ran = drain(conn, raises=False)
    assert sorted(each.value for each in ran if each.target == tasks.after.target) == ["dead", "succeeded"]


def test_eager_runs_what_a_job_brings_after_it(conn: Conn) -> None:
    with eager() as ran:
        tasks.bring.enqueue(conn, 1)
        tasks.end.enqueue(conn, True)
    assert [each.target.partition(":")[2] for each in ran] == ["bring", "send", "send", "end", "after"]
    assert enqueued(conn) == []


def test_one_attempt_tells_what_it_would_bring() -> None:
    ran = run_job(tasks.bring, [1])
    assert [(each.args, each.is_effect) for each in ran.enqueued] == [([1], False), ([2], True)]
    assert "args" not in repr(ran.enqueued)


def test_effects_are_remembered_within_the_tests_transaction(conn: Conn, connect: Connect) -> None:
    for _ in range(2):
        tasks.once.enqueue(conn, "k")
        tasks.once_async.enqueue(conn, "k")
    assert [each.value for each in drain(conn)] == ["first", "again", "again", "again"]
    assert run_job(tasks.once, ["other"], conn=conn).value == "first"
    assert run_job(tasks.once, ["other"], conn=conn).value == "again"
    conn.rollback()
    own = connect(autocommit=True)
    tasks.once.enqueue(own, "k")
    tasks.once_async.enqueue(own, "k")
    assert [each.value for each in drain(own)] == ["first", "again"]
    with pytest.raises(UsageError, match="conn=conn"):
        raise run_job(tasks.once, ["k"], raises=False).error or LookupError


def test_coroutines_have_their_line_in_the_tests_loop(dsn: str) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as aconn:
            await tasks.once_async.enqueue(aconn, "k")
            assert [each.value for each in await drain(aconn)] == ["first"]
            assert (await run_job_async(tasks.once_async, ["k"], conn=aconn)).value == "again"
            await aconn.rollback()

    asyncio.run(main())


def test_a_job_enqueued_at_once_stands_though_its_parent_fails(conn: Conn) -> None:
    tasks.spawn_at_once.enqueue(conn, 1)
    failed, sent = drain(conn, raises=False)
    assert (failed.outcome, sent.value) == ("failed", "sent 1")
