"""result(): waiting until a job has ended."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

import pgqueue
from pgqueue.context import JobContext, running
from pgqueue.hearing.waiter import Waiter
from pgqueue.job import Claim, JobState
from pgqueue.store import execute, jobs
from tests.client.ears import ears, only_told
from tests.conftest import Connect
from tests.factories import Conn, claim, claim_one, enlist, enqueue, fail, make, settle, slots, success
from tests.waiting import wait_until

__all__ = ["only_told"]

Waiting = Callable[..., list[Any]]


@pytest.fixture
def waiting(db: Conn) -> Iterator[Waiting]:
    """Call result() in a thread, and return when it listens; the list holds what it answered or raised."""
    threads: list[threading.Thread] = []

    def waiting(conn: Any, made: UUID, **options: Any) -> list[Any]:
        answers: list[Any] = []

        def wait() -> None:
            try:
                answers.append(pgqueue.result(conn, made, **options))
            except pgqueue.PgqueueError as error:
                answers.append(error)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        wait_until(lambda: _is_idle(db, conn.info.backend_pid) and ears(db), message="it waits")
        return answers

    yield waiting
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def _is_idle(db: Conn, pid: int) -> bool:
    """It has looked at the job once, and waits."""
    row = db.execute("select state, query from pg_stat_activity where pid = %s", [pid]).fetchone()
    return row is not None and row[0] == "idle" and "pgqueue.job" in row[1]


def succeed(conn: Conn, claim: Claim, result: str) -> None:
    execute(conn, jobs.step(claim.worker, [success(claim, result)], slots(), jobs.timedelta(0), 0))


@pytest.mark.usefixtures("only_told")
def test_who_waits_is_woken_by_success(db: Conn, connect: Connect, waiting: Waiting) -> None:
    taken = claim_one(db)
    answers = waiting(connect(), taken.id)
    succeed(db, taken, '{"n": 1}')
    wait_until(lambda: answers, message="it was woken")
    assert answers == [{"n": 1}]


@pytest.mark.usefixtures("only_told")
def test_who_waits_is_woken_by_failure_and_told_the_remote_traceback(
    db: Conn, connect: Connect, waiting: Waiting
) -> None:
    taken = claim_one(db)
    answers = waiting(connect(autocommit=True), taken.id)
    fail(db, taken, None)
    wait_until(lambda: answers, message="it was woken")
    (error,) = answers
    assert isinstance(error, pgqueue.JobFailed)
    assert (error.job_id, error.state, error.reason) == (taken.id, "dead", "exhausted")
    assert error.traceback == "Traceback ..."
    assert error.__notes__ == ["The last attempt raised:\nTraceback ..."]


@pytest.mark.usefixtures("only_told")
def test_who_waits_is_woken_by_cancellation(db: Conn, connect: Connect, waiting: Waiting) -> None:
    made = enqueue(db)
    answers = waiting(connect(), made)
    pgqueue.cancel(db, made)
    wait_until(lambda: answers, message="it was woken")
    assert isinstance(answers[0], pgqueue.JobFailed)
    assert answers[0].state == "cancelled"


@pytest.mark.usefixtures("only_told")
def test_the_end_of_another_job_does_not_end_the_wait(db: Conn, connect: Connect, waiting: Waiting) -> None:
    mine, other = claim_one(db), claim_one(db)
    answers = waiting(connect(), mine.id)
    settle(db, other)
    succeed(db, mine, "2")
    wait_until(lambda: answers, message="it was woken")
    assert answers == [2]


@pytest.mark.usefixtures("only_told")
def test_an_async_waiter_is_woken(db: Conn, dsn: str) -> None:
    taken = claim_one(db)

    async def main() -> Any:
        async with await psycopg.AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
            pid = conn.info.backend_pid
            waiter = asyncio.create_task(pgqueue.result(conn, taken.id))
            while not (_is_idle(db, pid) and ears(db)):
                await asyncio.sleep(0.01)
            succeed(db, taken, "[]")
            return await asyncio.wait_for(waiter, 10)

    assert asyncio.run(main()) == []


def test_a_lost_notification_costs_a_second(db: Conn, connect: Connect, waiting: Waiting) -> None:
    taken = claim_one(db)
    answers = waiting(connect(), taken.id)
    db.execute("create or replace function pgqueue.wake_waiters(_ids uuid[]) returns void language sql as ''")
    succeed(db, taken, "1")
    wait_until(lambda: answers, timeout=5, message="it was looked for")


@pytest.mark.usefixtures("only_told")
def test_in_an_open_transaction_it_is_woken_and_the_transaction_stays_open(
    db: Conn, conn: Conn, waiting: Waiting
) -> None:
    taken = claim_one(db)
    conn.execute("select 1")
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(pgqueue.result(conn, taken.id, timeout=20)))
    thread.start()
    wait_until(lambda: ears(db), message="somebody listens")
    succeed(db, taken, "3")
    thread.join(20)
    assert answers == [3]
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


@pytest.mark.parametrize("level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE])
def test_in_a_transaction_that_cannot_see_the_end_it_refuses(
    db: Conn, conn: Conn, level: psycopg.IsolationLevel
) -> None:
    made = enqueue(db)
    conn.isolation_level = level
    conn.execute("select 1")
    with pytest.raises(pgqueue.UsageError, match=r"cannot see the job end inside this .* transaction; commit it first"):
        pgqueue.result(conn, made, timeout=0.1)


@pytest.mark.parametrize("is_async", [False, True])
def test_inside_a_job_it_refuses_unless_it_is_asked_to_wait(db: Conn, connect: Connect, is_async: bool) -> None:
    taken = claim_one(db)
    token = running.set(JobContext(taken, {}, {}, None))
    try:
        with pytest.raises(pgqueue.UsageError, match="inside a job would hold its slot"):
            pgqueue.result(psycopg.AsyncConnection(psycopg.pq.PGconn()) if is_async else db, taken.id)
        if not is_async:
            ending = threading.Timer(0.05, succeed, [connect(autocommit=True), taken, "7"])
            ending.start()
            assert pgqueue.result(db, taken.id, timeout=20, inside_job=True) == 7
            ending.join()
    finally:
        running.reset(token)


@pytest.mark.parametrize("in_transaction", [False, True])
def test_it_gives_up_after_its_timeout_and_the_job_goes_on(db: Conn, conn: Conn, in_transaction: bool) -> None:
    taken = claim_one(db)
    if in_transaction:
        conn.execute("select 1")
    with pytest.raises(pgqueue.ResultTimeout, match=r"has not ended within 0\.05 s; it goes on"):
        pgqueue.result(conn, taken.id, timeout=0.05)
    assert settle(db, taken) == frozenset()


def test_a_timeout_of_zero_looks_once(db: Conn, conn: Conn) -> None:
    made = make(db, JobState.SUCCEEDED)
    assert pgqueue.result(conn, made, timeout=0) is None
    with pytest.raises(pgqueue.ResultTimeout):
        pgqueue.result(conn, enqueue(db), timeout=0)


def test_a_job_that_ends_during_the_last_pause_has_ended_in_time(
    db: Conn, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = claim_one(db)

    async def wait(_self: Waiter, seconds: float) -> None:
        succeed(db, taken, "4")
        time.sleep(2 * seconds)

    monkeypatch.setattr(Waiter, "wait", wait)
    assert pgqueue.result(conn, taken.id, timeout=0.05) == 4


def test_what_was_never_committed_is_not_found(conn: Conn) -> None:
    with pytest.raises(pgqueue.JobNotFound):
        pgqueue.result(conn, uuid4())


def test_the_connection_is_left_as_it_was(db: Conn, connect: Connect) -> None:
    conn = connect(row_factory=dict_row)
    pgqueue.result(conn, make(db, JobState.SUCCEEDED))
    with pytest.raises(pgqueue.ResultTimeout):
        pgqueue.result(conn, enqueue(db), timeout=0)
    assert (conn.autocommit, conn.row_factory) == (False, dict_row)
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert conn.execute("select pg_listening_channels() as channel").fetchall() == []
    assert db.execute("select from pg_locks where locktype = 'advisory'").fetchall() == []


@pytest.mark.parametrize("is_async", [False, True])
def test_who_keeps_the_lock_of_those_who_wait_keeps_nobody_from_waiting(
    db: Conn, connect: Connect, dsn: str, is_async: bool
) -> None:
    made = enqueue(db)
    connect(autocommit=True).execute("select pg_advisory_lock(7703, 0)")
    patience = f"{dsn} options='-c lock_timeout=100'"

    async def wait() -> None:
        async with await psycopg.AsyncConnection.connect(patience) as conn:
            with pytest.raises(pgqueue.ResultTimeout):
                await pgqueue.result(conn, made, timeout=0.1)
            assert not conn.autocommit
            assert await (await conn.execute("select pg_listening_channels()")).fetchall() == []

    if is_async:
        asyncio.run(wait())
        return
    conn = connect(patience)
    with pytest.raises(pgqueue.ResultTimeout):
        pgqueue.result(conn, made, timeout=0.1)
    assert not conn.autocommit
    assert conn.execute("select pg_listening_channels()").fetchall() == []


def test_a_result_is_none_if_it_was_not_asked_for_or_has_expired(db: Conn, conn: Conn) -> None:
    enqueue(db)
    (taken,) = claim(db, enlist(db))
    succeed(db, taken, "5")
    db.execute("update pgqueue.results set expires_at = now()")
    assert pgqueue.result(conn, taken.id) is None
