"""eager(): a job runs in the call that enqueues it, on that connection."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.errors import ArgumentError, UsageError
from pgqueue.testing import AttemptFailed, eager, enqueued
from tests.testing import tasks
from tests.testing.conftest import charges

Conn = psycopg.Connection[Any]


def test_a_job_and_what_it_enqueues_run_at_once_in_the_callers_transaction(conn: Conn) -> None:
    with eager() as ran:
        job = tasks.charge.using(delay=3600, store_result=True).enqueue(conn, 42)
        assert charges(conn) == [42]
    assert [each.value for each in ran] == ["sent 42", 42]
    assert pgqueue.result(conn, job.id) == 42
    assert enqueued(conn) == []
    conn.rollback()
    assert charges(conn) == []


def test_failures_are_raised_out_of_enqueue_as_a_worker_judges_them(conn: Conn) -> None:
    with eager() as ran:
        with pytest.raises(AttemptFailed, match="no route; runs again in 60 s") as raised:
            tasks.fail.enqueue(conn)
        with pytest.raises(AttemptFailed, match="dead: buried"):
            tasks.wish.enqueue(conn, "bury")
        tasks.wish.enqueue(conn, "retry")
    assert isinstance(raised.value.__cause__, LookupError)
    assert [each.outcome for each in ran] == ["failed", "failed", "failed"]
    with eager(raises=False) as ran:
        tasks.fail.enqueue(conn)
    assert ran[0].retry_in == 60


def test_arguments_go_through_json(conn: Conn) -> None:
    with eager(), pytest.raises(ArgumentError):
        pgqueue.enqueue(conn, tasks.send, [object()])


def test_many_run_in_order_and_a_kept_unique_job_runs_no_second_time(conn: Conn) -> None:
    with eager() as ran:
        pgqueue.enqueue_many(conn, [tasks.send.job(number) for number in (1, 2)])
    assert [each.value for each in ran] == ["sent 1", "sent 2"]
    tasks.send.using(unique_key="k").enqueue(conn, 1)
    with eager() as ran:
        assert not tasks.send.using(unique_key="k").enqueue(conn, 1).created
    assert ran == []


def test_it_counts_for_async_connections_and_sync_ones_in_a_loop(dsn: str, conn: Conn) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as aconn:
            await tasks.wait_for.enqueue(aconn, 0.01)
            await tasks.charge_async.enqueue(aconn, 1)
            await aconn.rollback()
        tasks.wait_for.enqueue(conn, 0.01)

    with eager() as ran:
        asyncio.run(main())
    assert [each.outcome for each in ran] == ["succeeded"] * 4


def test_jobs_without_end_are_stopped(conn: Conn) -> None:
    with eager(), pytest.raises(AttemptFailed) as raised:
        tasks.again.enqueue(conn)
    cause: BaseException | None = raised.value
    while cause is not None and not isinstance(cause, UsageError):
        cause = cause.__cause__
    assert cause is not None


def test_after_the_block_jobs_wait_again(conn: Conn) -> None:
    with pytest.raises(ZeroDivisionError), eager():
        raise ZeroDivisionError
    tasks.send.enqueue(conn, 1)
    assert len(enqueued(conn)) == 1
