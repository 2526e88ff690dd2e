"""Very many jobs at once, by COPY: the same jobs as one by one, in the caller's transaction."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import sql

import pgqueue
from pgqueue.store.bulk import FEWEST
from tests.conftest import Connect

Conn = psycopg.Connection[Any]
NASTY = 'tab\t newline\n return\r backslash \\ \\N \\. quote " unicode \u2028 \x7f end'


def rows(conn: Conn) -> list[tuple[Any, ...]]:
    """What was enqueued, in order, without ids and times."""
    query = """
        select queue, priority, target, args::text, timeout, max_attempts, limit_key, store_result, labels::text
        from pgqueue.jobs order by id
        """
    return conn.execute(query).fetchall()


def batch(**options: Any) -> list[pgqueue.NewJob]:
    return [pgqueue.NewJob("shop.tasks:send", [number, NASTY], **options) for number in range(FEWEST)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"queue": NASTY[:100], "priority": 9, "timeout": 1.5, "max_attempts": 3},
        {"limit_key": NASTY, "store_result": True, "labels": {NASTY: NASTY}, "timeout": float("inf")},
    ],
)
def test_copied_jobs_are_the_same_as_others(conn: Conn, options: dict[str, Any]) -> None:
    pgqueue.enqueue_many(conn, batch(**options)[:-1])
    one_by_one = rows(conn)
    conn.rollback()
    pgqueue.enqueue_many(conn, batch(**options))
    assert rows(conn)[:-1] == one_by_one


def test_one_job_with_an_option_leaves_the_others_their_defaults(conn: Conn) -> None:
    new = [*batch(), pgqueue.NewJob("shop.tasks:send", queue="mail", priority=1)]
    pgqueue.enqueue_many(conn, new)
    assert [row[:2] for row in rows(conn)] == [("default", 5)] * FEWEST + [("mail", 1)]


def test_ids_come_back_in_order_and_are_those_of_the_jobs(conn: Conn) -> None:
    ids = pgqueue.enqueue_many(conn, batch() * 20)
    assert ids == sorted(ids)
    assert {each.version for each in ids} == {7}
    found = conn.execute("select id, (args ->> 0)::int from pgqueue.jobs order by id").fetchall()
    assert found == [(each, number % FEWEST) for number, each in enumerate(ids)]


def test_p1_copied_jobs_go_with_the_transaction_that_enqueued_them(conn: Conn) -> None:
    pgqueue.enqueue_many(conn, batch())
    conn.rollback()
    assert rows(conn) == []


@pytest.mark.parametrize("begun", [True, False])
def test_a_bad_argument_in_the_middle_leaves_the_transaction_as_it_was(conn: Conn, begun: bool) -> None:
    if begun:
        conn.execute("create table mine (value int)")
    with pytest.raises(pgqueue.ArgumentError, match="object is not JSON serialisable"):
        pgqueue.enqueue_many(conn, [*batch(), pgqueue.NewJob("shop.tasks:send", [object()])])
    assert rows(conn) == []
    if begun:
        conn.execute("insert into mine values (1)")


def test_copied_jobs_wake_a_hungry_worker(conn: Conn, connect: Connect) -> None:
    ear = connect(autocommit=True)
    ear.execute("listen pgqueue")
    ear.execute("select pg_advisory_lock_shared(7702, 0)")
    pgqueue.enqueue_many(conn, batch(queue="mail"))
    conn.commit()
    assert [heard.payload for heard in ear.notifies(timeout=5, stop_after=1)] == ["mail"]


def test_in_pipeline_mode_they_take_the_other_way(conn: Conn) -> None:
    with conn.pipeline():
        ids = pgqueue.enqueue_many(conn, batch())
    assert len(rows(conn)) == len(set(ids)) == FEWEST


def test_an_async_connection_copies_too(dsn: str, conn: Conn) -> None:
    async def main() -> list[Any]:
        async with await psycopg.AsyncConnection.connect(dsn) as own:
            await own.execute(sql.SQL("select 1"))
            return list(await pgqueue.enqueue_many(own, batch()))

    ids = asyncio.run(main())
    assert [each for (each,) in conn.execute("select id from pgqueue.jobs order by id")] == ids
