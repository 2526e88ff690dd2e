"""Batch tasks in tests: jobs run together as far as they may, and each has an end of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg

import pgqueue
from pgqueue.testing import drain, eager, run_job
from tests.testing import tasks
from tests.testing.conftest import charges

Conn = psycopg.Connection[Any]


def test_jobs_run_together_and_each_has_its_end(conn: Conn) -> None:
    pgqueue.enqueue_many(conn, [tasks.index.job(number) for number in (11, 12, 13, 14)])
    ran = drain(conn, raises=False)
    assert [(each.outcome, each.value, each.log) for each in ran] == [
        ("succeeded", 3, ("one of 3",)),
        ("succeeded", 3, ("one of 3",)),
        ("failed", None, ("one of 3",)),
        ("succeeded", 1, ("one of 1",)),
    ]
    assert (str(ran[2].error), ran[2].retry_in) == ("bad page", 60.0)


def test_one_alone_is_a_batch_of_one(conn: Conn) -> None:
    assert run_job(tasks.index, [1]).value == 1
    with eager() as ran:
        tasks.index.enqueue(conn, 1)
    assert [each.value for each in ran] == [1]


def test_coroutines_run_together_in_the_tests_transaction(conn: Conn, dsn: str) -> None:
    pgqueue.enqueue_many(conn, [tasks.index_async.job(number) for number in range(3)])
    assert len(drain(conn)) == 3
    assert charges(conn) == [0, 1, 2]

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as aconn:
            for number in range(2):
                await tasks.index_async.enqueue(aconn, number)
            assert len(await drain(aconn)) == 2
            await aconn.rollback()

    asyncio.run(main())
