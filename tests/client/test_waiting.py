"""wait_many(), and how all who wait in a process share one connection that hears what ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import pgqueue
from pgqueue.context import JobContext, running
from pgqueue.hearing import ears as hearing
from pgqueue.hearing import until
from pgqueue.job import Claim, JobState
from pgqueue.store import execute, jobs
from tests.client.ears import ears, only_told
from tests.conftest import Connect
from tests.factories import Conn, claim, claim_one, enlist, enqueue, fail, fill, make, settle, slots, success
from tests.waiting import wait_until

__all__ = ["only_told"]

Apart = Callable[..., "Future[Any]"]
told = pytest.mark.usefixtures("only_told")


@pytest.fixture
def apart() -> Iterator[Apart]:
    """Call something in a thread of its own."""
    with ThreadPoolExecutor(100) as pool:
        yield pool.submit


def succeed(conn: Conn, taken: Claim, result: str) -> None:
    execute(conn, jobs.step(taken.worker, [success(taken, result)], slots(), jobs.timedelta(0), 0))


def listening(db: Conn) -> int:
    """The one backend that hears, once it does."""
    (pid,) = wait_until(lambda: ears(db), message="somebody listens")
    return pid


def test_each_id_is_answered_in_its_place_with_what_became_of_it(db: Conn, connect: Connect) -> None:
    succeeded = claim_one(db, store_result=True)
    succeed(db, succeeded, '{"n": 1}')
    ids: dict[str, UUID] = {
        "succeeded": succeeded.id,
        "not stored": make(db, JobState.SUCCEEDED),
        "dead": make(db, JobState.DEAD),
        "cancelled": make(db, JobState.CANCELLED),
        "unknown": uuid4(),
        "pending": make(db, JobState.SCHEDULED),
    }
    conn = connect()
    found = pgqueue.wait_many(conn, [*ids.values(), str(succeeded.id)], timeout=0.05)
    assert [each.id for each in found] == [*ids.values(), succeeded.id]
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    of = dict(zip(ids, found, strict=False))
    assert found[-1] == of["succeeded"] == pgqueue.Waited(succeeded.id, JobState.SUCCEEDED, {"n": 1}, True, None)
    assert of["succeeded"].result() == {"n": 1}
    assert of["not stored"] == pgqueue.Waited(ids["not stored"], JobState.SUCCEEDED, None, False, None)
    assert [name for name, each in of.items() if not each.ended] == ["pending"]
    errors = {name: each.error for name, each in of.items() if each.error is not None}
    assert {name: type(error) for name, error in errors.items()} == {
        "dead": pgqueue.JobFailed,
        "cancelled": pgqueue.JobFailed,
        "unknown": pgqueue.JobNotFound,
        "pending": pgqueue.ResultTimeout,
    }
    assert isinstance(errors["dead"], pgqueue.JobFailed)
    assert (errors["dead"].reason, errors["dead"].traceback) == ("exhausted", "Traceback ...")
    with pytest.raises(pgqueue.ResultTimeout, match=r"has not ended within 0\.05 s; it goes on"):
        of["pending"].result()


def test_of_no_ids_nothing_is_answered_at_once(conn: Conn) -> None:
    assert pgqueue.wait_many(conn, []) == []


@pytest.mark.parametrize("wrong", ["0190a0b0-0000-7000-8000-000000000000", b"1", [1]])
def test_what_is_no_list_of_ids_is_refused(conn: Conn, wrong: Any) -> None:
    with pytest.raises(pgqueue.UsageError, match=r"several ids|must be a uuid\.UUID"):
        pgqueue.wait_many(conn, wrong)


def test_inside_a_job_it_refuses_unless_it_is_asked_to_wait(db: Conn, conn: Conn) -> None:
    ended = make(db, JobState.SUCCEEDED)
    token = running.set(JobContext(claim_one(db), {}, {}, None))
    try:
        with pytest.raises(pgqueue.UsageError, match=r"wait_many\(\) inside a job .* inside_job=True"):
            pgqueue.wait_many(conn, [ended])
        assert pgqueue.wait_many(conn, [ended], inside_job=True)[0].ended
    finally:
        running.reset(token)


@told
def test_all_are_waited_for_or_the_first(db: Conn, connect: Connect, apart: Apart) -> None:
    worker = enlist(db, concurrency=3)
    ids = fill(db, 3)
    one, two, three = claim(db, worker, 3)
    first = apart(pgqueue.wait_many, connect(), ids, 20, first=True)
    every = apart(pgqueue.wait_many, connect(), ids, 20)
    listening(db)
    fail(db, two, 3600.0)
    settle(db, one)
    assert [each.ended for each in first.result(20)] == [each == one.id for each in ids]
    assert not every.done()
    settle(db, three)
    execute(db, jobs.cancel(two.id))
    assert {each.id: each.state for each in every.result(20)} == {
        one.id: JobState.SUCCEEDED,
        two.id: JobState.CANCELLED,
        three.id: JobState.SUCCEEDED,
    }


@told
def test_thousands_of_jobs_are_waited_for_with_a_few_statements(
    db: Conn, connect: Connect, apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counting(conn: Any, statement: Any) -> Any:
        asked.append(len(statement.params[0]))
        return run(conn, statement)

    run = until.execute_alone
    monkeypatch.setattr(until, "execute_alone", counting)
    worker, ids = enlist(db, concurrency=2000), fill(db, 2000)
    waiting = apart(pgqueue.wait_many, connect(), ids, 60)
    listening(db)
    while taken := claim(db, worker, 100):
        settle(db, *taken)
    assert all(each.ended and each.error is None for each in waiting.result(60))
    # At all of them before it listened, and perhaps after; and then as they were heard of, read once a second.
    assert sum(asked) <= 3 * 2000
    assert len(asked) <= 20


@told
def test_one_connection_hears_for_all_threads_and_loops_of_a_process(
    db: Conn, dsn: str, connect: Connect, apart: Apart
) -> None:
    ids = fill(db, 30)
    shared = connect()

    def in_a_loop(some: list[UUID]) -> list[Any]:
        async def main() -> list[Any]:
            async with await psycopg.AsyncConnection.connect(dsn) as conn:
                return await asyncio.gather(*[pgqueue.result(conn, each, timeout=30) for each in some])

        return asyncio.run(main())

    threads = [apart(pgqueue.result, shared, each, 30) for each in ids[:10]]
    loops = [apart(in_a_loop, ids[10:20]), apart(in_a_loop, ids[20:])]
    listening(db)
    wait_until(lambda: sum(len(each) for each in _waiting_for().values()) == 30, message="all wait")
    listening(db)
    # Nobody's look left a transaction open behind it.
    left = "select from pg_stat_activity where state like 'idle in%' and datname = current_database()"
    assert db.execute(left).fetchall() == []
    settle(db, *claim(db, enlist(db, concurrency=30), 30))
    assert [each.result(20) for each in threads] == [None] * 10
    assert [each.result(20) for each in loops] == [[None] * 10] * 2
    assert _waiting_for() == {}


def _waiting_for() -> dict[str, Any]:
    from pgqueue.hearing.process import _ours

    return {job: set(waiters) for each in list(_ours._ears.values()) for job, waiters in dict(each._waiters).items()}


@told
def test_a_job_that_ends_between_the_look_and_the_wait_is_heard_of(
    db: Conn, connect: Connect, apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, other = claim_one(db), claim_one(db)
    keeper = apart(pgqueue.result, connect(), other.id, 30)
    listening(db)
    begin = hearing.Ears.begin

    def begin_late(self: hearing.Ears, conn: Any) -> bool:
        settle(db, taken)
        return begin(self, conn)

    monkeypatch.setattr(hearing.Ears, "begin", begin_late)
    assert pgqueue.result(connect(), taken.id, timeout=20) is None
    monkeypatch.undo()
    settle(db, other)
    keeper.result(20)


def test_an_end_that_was_written_before_anybody_listened_and_committed_after_is_found(
    db: Conn, connect: Connect, conn: Conn, apart: Apart
) -> None:
    taken = claim_one(db)
    execute(conn, jobs.complete(taken, None))
    waiting = apart(pgqueue.result, connect(), taken.id, 20)
    listening(db)
    conn.commit()
    assert waiting.result(5) is None


@told
def test_who_waits_outlives_the_connection_that_hears(
    db: Conn, connect: Connect, apart: Apart, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = claim_one(db), claim_one(db)
    waiting = [apart(pgqueue.result, connect(), each.id, 30) for each in (one, two)]
    before = listening(db)
    db.execute("select pg_terminate_backend(%s, 5000)", [before])
    settle(db, one)
    assert waiting[0].result(20) is None
    after = listening(db)
    assert after != before
    settle(db, two)
    assert waiting[1].result(20) is None
    assert [record.name for record in caplog.records] == ["pgqueue.waiting"]
    assert "nothing is heard: " in caplog.text


def test_where_no_connection_can_be_had_each_looks_by_itself_and_it_is_said_once(
    db: Conn, dsn: str, connect: Connect, apart: Apart, caplog: pytest.LogCaptureFixture
) -> None:
    role = f"lonely_{uuid4().hex}"
    db.execute(f"create role {role} login connection limit 1")
    db.execute(f"grant usage on schema pgqueue to {role}; grant select on all tables in schema pgqueue to {role}")
    try:
        taken = claim_one(db)
        with psycopg.connect(dsn, user=role) as conn:
            waiting = apart(pgqueue.result, conn, taken.id, 20)
            wait_until(lambda: caplog.records, message="it was said")
            settle(db, taken)
            assert waiting.result(10) is None
        (record,) = caplog.records
        assert "too many connections for role" in record.getMessage()
    finally:
        db.execute(f"drop owned by {role}; drop role {role}")


def test_nobody_is_listened_for_once_nobody_waits(
    db: Conn, connect: Connect, apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "LINGER", 0.1)
    monkeypatch.setattr(hearing, "TURN", 0.1)
    for _ in range(2):
        taken = claim_one(db)
        waiting = apart(pgqueue.result, connect(), taken.id, 20)
        listening(db)
        settle(db, taken)
        waiting.result(20)
        wait_until(lambda: not _connected(db), message="the connection is closed")


def _connected(db: Conn) -> list[Any]:
    return db.execute("select from pg_stat_activity where application_name = 'pgqueue waiting'").fetchall()


def test_a_task_that_is_cancelled_waits_for_nothing_any_more(db: Conn, dsn: str) -> None:
    made = enqueue(db, delay=60)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as conn:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pgqueue.wait_many(conn, [made]), 0.1)
            assert _waiting_for() == {}
            assert (await (await conn.execute("select 1")).fetchone()) == (1,)

    asyncio.run(main())


PROGRAM = """
import os, sys, threading
import psycopg, pgqueue
dsn, theirs, ours = sys.argv[1:]

def wait(job):
    with psycopg.connect(dsn) as conn:
        return pgqueue.result(conn, job, timeout=30)

"""


def _program(dsn: str, code: str, *ids: UUID) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + textwrap.dedent(code), dsn, *map(str, ids)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_forked_copy_hears_for_itself_and_leaves_the_others_ears_alone(db: Conn, dsn: str) -> None:
    code = """
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(wait(ours)))
    waiter.start()
    input()
    child = os.fork()
    if child == 0:
        wait(theirs)
        print("the copy was told", flush=True)
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    print("copy", status, flush=True)
    waiter.join()
    print("told", answers, flush=True)
    """
    theirs, ours = claim_one(db), claim_one(db)
    program = _program(dsn, code, theirs.id, ours.id)
    assert program.stdin is not None
    assert program.stdout is not None
    listening(db)
    program.stdin.write("\n")
    program.stdin.flush()
    wait_until(lambda: len(ears(db)) == 2, message="each of them listens")
    settle(db, theirs)
    assert [program.stdout.readline() for _ in range(2)] == ["the copy was told\n", "copy 0\n"]
    listening(db)
    settle(db, ours)
    said, complained = program.communicate(timeout=20)
    assert (said, complained, program.returncode) == ("told [None]\n", "", 0)


def test_a_process_that_ends_while_somebody_waits_ends_in_silence(db: Conn, dsn: str) -> None:
    code = """
    threading.Thread(target=wait, args=[ours], daemon=True).start()
    input()
    print("ends", flush=True)
    """
    made = enqueue(db, delay=60)
    program = _program(dsn, code, made, made)
    listening(db)
    assert program.communicate("\n", timeout=20) == ("ends\n", "")
    assert program.returncode == 0
    wait_until(lambda: not ears(db), message="its connection is closed")


def test_who_waits_for_the_same_job_is_told_once_each(db: Conn, connect: Connect, apart: Apart) -> None:
    taken = claim_one(db, store_result=True)
    conn = connect()
    waiting = [apart(pgqueue.result, conn, taken.id, 20) for _ in range(50)]
    listening(db)
    assert threading.active_count() > 50
    succeed(db, taken, "[1]")
    assert [each.result(20) for each in waiting] == [[1]] * 50
