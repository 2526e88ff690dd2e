"""assert_enqueued(), refute_enqueued(), enqueued(): what waits, as the test's own transaction sees it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from unittest.mock import ANY

import psycopg
import pytest

import pgqueue
from pgqueue.errors import OptionError
from pgqueue.testing import assert_enqueued, enqueued, refute_enqueued
from tests.conftest import Connect
from tests.testing import tasks

Conn = psycopg.Connection[Any]


def test_jobs_of_the_tests_own_transaction_are_found(conn: Conn, connect: Connect) -> None:
    job = tasks.send.enqueue(conn, 42)
    (found,) = assert_enqueued(conn, tasks.send)
    assert (found.id, found.args, found.queue) == (job.id, [42], "mail")
    assert enqueued(conn, queue="mail") == enqueued(conn, tasks.send) == [found]
    refute_enqueued(conn, tasks.send, queue="default")
    assert enqueued(connect()) == []


@pytest.mark.parametrize(
    "args",
    [[42], {"order_id": 42}, (42,), [...], [ANY], {"order_id": 42, "note": None}, {"order_id": ..., "note": ...}],
)
def test_arguments_fit_however_they_are_given(conn: Conn, args: Any) -> None:
    tasks.send.enqueue(conn, order_id=42)
    assert_enqueued(conn, tasks.send, args=args, count=1)


def test_values_are_compared_as_they_arrive(conn: Conn) -> None:
    pgqueue.enqueue(conn, "shop.tasks:send", {"lines": (1, 2), "deep": [{"a": (3,)}]})
    assert_enqueued(conn, "shop.tasks:send", args={"lines": (1, 2), "deep": [{"a": (3,)}]})
    assert_enqueued(conn, "shop.tasks:send", args={"lines": [1, ...], "deep": ...})


def test_options_are_compared(conn: Conn) -> None:
    conn.execute("select pg_sleep(0.1)")
    at = datetime(2100, 1, 1, tzinfo=UTC)
    options = {"queue": "slow", "priority": 7, "unique_key": "k", "labels": {"a": "1", "b": "2"}}
    pgqueue.enqueue(conn, "shop.tasks:send", delay=3600, **options)
    pgqueue.enqueue(conn, "shop.tasks:late", run_at=at)
    assert_enqueued(conn, "shop.tasks:send", delay=3600, **{**options, "labels": {"a": "1"}})
    assert_enqueued(conn, "shop.tasks:send", delay=(3000, 4000))
    assert_enqueued(conn, "shop.tasks:late", run_at=at)
    refute_enqueued(conn, "shop.tasks:send", delay=3500)
    with pytest.raises(
        AssertionError, match=r"delay: expected 60, got 3600.\d s\n    labels\['a'\]: expected '2', got '1'"
    ):
        assert_enqueued(conn, "shop.tasks:send", delay=60, labels={"a": "2"})


def test_a_message_shows_the_nearest_job_and_how_it_differs(conn: Conn) -> None:
    tasks.send.enqueue(conn, 41, note="a")
    tasks.send.enqueue(conn, 42, note="b")
    with pytest.raises(AssertionError) as raised:
        assert_enqueued(conn, tasks.send, args={"order_id": 42, "note": "c"})
    assert str(raised.value) == (
        "expected a job tests.testing.tasks:send, found 0 that fits; the nearest of 2 is\n"
        """  tests.testing.tasks:send {"order_id": 42,"note": "b"}, queue='mail'\n"""
        "    args.note: expected 'c', got 'b'"
    )


def test_a_message_shows_what_was_enqueued_instead(conn: Conn) -> None:
    with pytest.raises(AssertionError, match="found 0: nothing is enqueued, as far as this transaction sees"):
        assert_enqueued(conn, "shop.tasks:send")
    for number in range(7):
        pgqueue.enqueue(conn, "shop.tasks:sent", [number])
    with pytest.raises(AssertionError, match=r"did you mean shop.tasks:sent\?; enqueued are:\n(  .*\n){5}  and 2 more"):
        assert_enqueued(conn, "shop.tasks:send")


def test_counts_are_exact(conn: Conn) -> None:
    pgqueue.enqueue_many(conn, [tasks.send.job(number) for number in (1, 1, 2)])
    assert_enqueued(conn, tasks.send, count=3)
    assert_enqueued(conn, tasks.send, args=[1], count=2)
    with pytest.raises(AssertionError, match=r"expected 0 of the jobs .*, found 2 that fit"):
        refute_enqueued(conn, tasks.send, args=[1])
    with pytest.raises(OptionError, match="count"):
        assert_enqueued(conn, tasks.send, count=-1)


def test_sensitive_arguments_are_in_no_message(conn: Conn) -> None:
    tasks.call.enqueue(conn, "hush-hush", "here")
    with pytest.raises(AssertionError) as raised:
        assert_enqueued(conn, tasks.call, args=["other-secret", "there"])
    assert "hush" not in str(raised.value)
    assert "other-secret" not in str(raised.value)
    assert "args.token differs" in str(raised.value)
    assert "hush" not in repr(enqueued(conn))


def test_async_connections_are_awaited(dsn: str) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as aconn:
            await tasks.send.enqueue(aconn, 42)
            assert len(await enqueued(aconn)) == 1
            await assert_enqueued(aconn, tasks.send, args=[42])
            await refute_enqueued(aconn, tasks.send, args=[43])

    asyncio.run(main())
