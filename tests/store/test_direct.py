"""Statements that go below psycopg's cursors: only what psycopg itself has prepared, and as it would go with one."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.job import NewJob
from pgqueue.store import direct, enqueueing, execute, statement
from tests.conftest import Connect
from tests.factories import Conn, count, enlist, step

# psycopg prepares what it has seen five times.
OFTEN = 7
TARGET = "shop:send"
PLAIN = enqueueing.enqueue(NewJob(TARGET, [1]))


@pytest.fixture
def own(connect: Connect) -> Conn:
    """A connection on which a plain enqueue has been prepared."""
    conn = connect(autocommit=True)
    _enqueue_often(conn)
    assert _goes_direct(conn)
    return conn


def _enqueue_often(conn: Conn) -> None:
    for number in range(OFTEN):
        pgqueue.enqueue(conn, TARGET, [number])


def _name(conn: Any) -> bytes | None:
    """The name under which the plain enqueue is prepared, in psycopg's book."""
    return next((name for (sql, _), name in conn._prepared._names.items() if sql == PLAIN.sql.encode()), None)


def _goes_direct(conn: Conn) -> bool:
    """Whether the next plain enqueue needs no cursor; enqueues it if so."""
    with conn.lock:
        sent = direct.sending(conn, PLAIN.sql.encode(), enqueueing.enqueue(NewJob(TARGET, [1])).params)
        if sent is not None:
            conn.wait(sent)
    return sent is not None


def test_what_is_sent_often_needs_no_cursor(connect: Connect) -> None:
    conn = connect(autocommit=True)
    assert not _goes_direct(conn)
    _enqueue_often(conn)
    assert _goes_direct(conn)
    assert count(conn, "jobs") == OFTEN + 1


@pytest.mark.parametrize("forget", ["discard all", "deallocate all"])
def test_what_makes_psycopg_forget_leads_back_to_the_cursor(own: Conn, forget: str) -> None:
    own.execute(forget)
    assert not _goes_direct(own)
    with own.transaction():
        _enqueue_often(own)


def test_a_rollback_is_no_surprise(connect: Connect) -> None:
    conn = connect()
    for _ in range(4):
        _enqueue_often(conn)
        conn.rollback()
    kept = pgqueue.enqueue(conn, TARGET, ["kept"])
    conn.commit()
    assert pgqueue.get_job(conn, kept.id).args == ["kept"]
    assert count(conn, "jobs") == 1


def test_the_first_statement_of_a_transaction_begins_it(connect: Connect) -> None:
    conn = connect()
    _enqueue_often(conn)
    conn.commit()
    pgqueue.enqueue(conn, TARGET, [1])
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    conn.rollback()
    assert count(conn, "jobs") == OFTEN


def test_a_session_of_another_encoding_keeps_to_the_cursor(own: Conn) -> None:
    own.execute("set client_encoding = 'latin1'")
    assert not _goes_direct(own)
    made = pgqueue.enqueue(own, TARGET, ["K\u00f6ln"])
    own.execute("set client_encoding = 'utf8'")
    assert pgqueue.get_job(own, made.id).args == ["K\u00f6ln"]


def test_a_pipeline_keeps_to_the_cursor(own: Conn) -> None:
    with own.pipeline():
        assert not _goes_direct(own)
        pgqueue.enqueue(own, TARGET, [1])
    assert count(own, "jobs") == OFTEN + 2


def test_an_error_is_the_one_that_a_cursor_raises(own: Conn) -> None:
    again = enqueueing.enqueue(NewJob(TARGET, [1]))
    execute(own, again)
    with pytest.raises(psycopg.errors.UniqueViolation, match="jobs_pkey") as raised:
        execute(own, again)
    assert raised.value.sqlstate == "23505"
    assert _goes_direct(own)


def test_in_a_failed_transaction_nothing_is_enqueued(own: Conn) -> None:
    own.execute("begin")
    with pytest.raises(psycopg.errors.UndefinedTable):
        own.execute("select from nowhere")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        pgqueue.enqueue(own, TARGET, [1])
    own.execute("rollback")
    assert count(own, "jobs") == OFTEN + 1


def test_a_closed_connection_is_told_by_psycopg(own: Conn) -> None:
    own.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        pgqueue.enqueue(own, TARGET, [1])


def test_rows_come_as_with_a_cursor(own: Conn) -> None:
    """Ids, arrays, times, nulls and texts: what a step answers."""
    worker = enlist(own)
    answers = [step(own, worker, [], 1) for _ in range(OFTEN + 1)]
    assert {type(claim.id) for answer in answers for claim in answer.claims} == {UUID}
    first, *_, last = [answer.claims[0] for answer in answers]
    assert [type(value) for value in first] == [type(value) for value in last]
    assert all(answer.alive and answer.now.tzinfo for answer in answers)


def test_what_the_caller_registered_changes_nothing(own: Conn) -> None:
    class Shouting(psycopg.types.string.StrDumper):
        def dump(self, obj: Any) -> bytes:
            return super().dump(obj.upper())

    own.adapters.register_dumper(str, Shouting)
    assert _goes_direct(own)
    assert own.execute("select distinct target from pgqueue.jobs").fetchall() == [(TARGET,)]


def test_notifications_on_the_same_connection_still_arrive(own: Conn) -> None:
    own.execute("listen pgqueue")
    own.execute("set pgqueue.notify = always")
    pgqueue.enqueue(own, TARGET, [1])
    assert [each.payload for each in own.notifies(timeout=1, stop_after=1)] == ["default"]


def test_it_serves_coroutines_too(dsn: str) -> None:
    async def enqueue() -> tuple[int, bool]:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
            ids = [(await pgqueue.enqueue(conn, TARGET, [number])).id for number in range(OFTEN)]
            more = await asyncio.gather(*(pgqueue.enqueue(conn, TARGET, [number]) for number in range(10)))
            return len({*ids, *(each.id for each in more)}), _name(conn) is not None

    assert asyncio.run(enqueue()) == (OFTEN + 10, True)


def test_without_psycopgs_book_the_cursor_serves(own: Conn) -> None:
    class Bookless:
        pgconn = own.pgconn
        autocommit = True

    assert direct.sending(Bookless(), statement._encoded(PLAIN.sql), PLAIN.params) is None  # type: ignore[arg-type]
