"""enqueue() and enqueue_many(): what they take, what they refuse, and that a repeated call adds nothing (P13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgqueue
from pgqueue import NewJob
from pgqueue.job import JobState
from tests.client.proxy import CuttingProxy
from tests.factories import TARGET, Conn, claim, count, enlist, make, settle, state
from tests.waiting import wait_until


@pgqueue.task(queue="mail", max_attempts=3, store_result=True)
def send(order_id: int) -> int:
    return order_id


def plain(number: int) -> None: ...


@pytest.fixture
def proxy(dsn: str) -> Iterator[CuttingProxy]:
    given = conninfo_to_dict(dsn)
    proxy = CuttingProxy(str(given["host"]), int(str(given["port"])))
    yield proxy
    proxy.close()


Call = Callable[[Conn], Any]


def by_job_id() -> Call:
    given = uuid4()
    return lambda conn: pgqueue.enqueue(conn, TARGET, job_id=given).id


def by_unique_key() -> Call:
    return lambda conn: pgqueue.enqueue(conn, TARGET, unique_key="k").id


def many() -> Call:
    batch = [NewJob(TARGET, job_id=uuid4()) for _ in range(3)]
    return lambda conn: pgqueue.enqueue_many(conn, batch)


@pytest.mark.parametrize("make_call", [by_job_id, by_unique_key, many])
def test_p13_the_same_call_after_a_cut_off_commit_adds_no_second_job(
    dsn: str, proxy: CuttingProxy, db: Conn, make_call: Callable[[], Call]
) -> None:
    call = make_call()
    conn = psycopg.connect(make_conninfo(dsn, port=proxy.port, sslmode="disable"))
    first = call(conn)
    proxy.cut_after(b"COMMIT")
    with pytest.raises(psycopg.OperationalError):
        conn.commit()
    conn.close()
    with psycopg.connect(dsn) as again:
        assert call(again) == first
    assert count(db, "jobs") == (3 if isinstance(first, list) else 1)


def test_p13_the_same_call_after_a_transaction_that_was_cut_off_before_commit_adds_one_job(dsn: str, db: Conn) -> None:
    call = by_unique_key()
    conn = psycopg.connect(dsn)
    call(conn)
    pid = conn.info.backend_pid
    conn.close()
    wait_until(lambda: not db.execute("select from pg_stat_activity where pid = %s", [pid]).fetchall())
    with psycopg.connect(dsn) as again:
        call(again)
    assert count(db, "jobs") == 1


def test_p13_a_job_that_has_ended_meanwhile_is_still_found_by_its_id(db: Conn) -> None:
    call = by_job_id()
    first = call(db)
    settle(db, *claim(db, enlist(db)))
    assert call(db) == first
    assert state(db, first) == "succeeded"


def test_the_id_is_known_before_the_commit(conn: Conn, db: Conn) -> None:
    made = pgqueue.enqueue(conn, TARGET)
    assert (made.created, made.id.version) == (True, 7)
    with pytest.raises(pgqueue.JobNotFound):
        pgqueue.get_job(db, made.id)
    conn.commit()
    assert pgqueue.get_job(db, made.id).id == made.id


def test_a_given_id_is_the_jobs_id_of_whatever_version(db: Conn) -> None:
    given = uuid4()
    assert pgqueue.enqueue(db, TARGET, job_id=given) == (given, True)
    assert pgqueue.enqueue(db, TARGET, job_id=given) == (given, False)


@pytest.mark.parametrize("target", [send, plain, "shop.tasks:send"])
def test_a_target_is_a_task_a_function_or_a_text(db: Conn, target: Any) -> None:
    job = pgqueue.get_job(db, pgqueue.enqueue(db, target, [1]).id)
    assert job.target == (target if isinstance(target, str) else f"{__name__}:{'send' if target is send else 'plain'}")


def test_a_tasks_options_hold_where_none_are_given(db: Conn) -> None:
    for made in (pgqueue.enqueue(db, send, [1]).id, *pgqueue.enqueue_many(db, [send.job(1), NewJob(send.target, [1])])):
        job = pgqueue.get_job(db, made)
        assert (job.queue, job.max_attempts) == ("mail", 3)
    assert pgqueue.get_job(db, pgqueue.enqueue(db, send, [1], queue="slow").id).queue == "slow"


def test_a_task_enqueues_itself(db: Conn) -> None:
    made = send.enqueue(db, order_id=42)
    assert pgqueue.get_job(db, made.id).args == {"order_id": 42}


def test_p7_a_delay_is_judged_by_the_database(db: Conn) -> None:
    job = pgqueue.get_job(db, pgqueue.enqueue(db, TARGET, delay=timedelta(minutes=1)).id)
    assert job.state is JobState.SCHEDULED
    row = db.execute("select %s - now()", [job.run_at]).fetchone()
    assert row is not None
    assert timedelta(seconds=50) < row[0] <= timedelta(minutes=1)


def test_a_run_at_keeps_its_moment_whatever_its_zone(db: Conn) -> None:
    moment = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC).astimezone()
    assert pgqueue.get_job(db, pgqueue.enqueue(db, TARGET, run_at=moment).id).run_at == moment


@pytest.mark.parametrize("args", [None, [], {}, [1, [2, {"a": None}]], {"ü": "🎉\x00", "n": 2**100}])
def test_arguments_come_back_as_they_were(db: Conn, args: Any) -> None:
    assert pgqueue.get_job(db, pgqueue.enqueue(db, TARGET, args).id).args == ({} if args is None else args)


@pytest.mark.parametrize(
    ("args", "options", "fault"),
    [
        ({"user": object()}, {}, r'args\["user"\]: object is not JSON serialisable; pass its id'),
        ("text", {}, "wrap a single argument"),
        ([float("nan")], {}, r"args\[0\]: nan is not JSON"),
        (None, {"priority": 10}, "priority must be a whole number from 0 to 9"),
        (None, {"delay": 1, "run_at": datetime.now(UTC)}, "give delay or run_at, not both"),
        (None, {"run_at": datetime(2030, 1, 1)}, "run_at needs a time zone"),
        (None, {"run_at": datetime(9999, 6, 1, tzinfo=UTC)}, "run_at must be"),
        (None, {"run_at": datetime(1800, 6, 1, tzinfo=UTC)}, "run_at must be"),
        (None, {"ttl": 0}, "ttl must be more than 0"),
        (None, {"max_attempts": 0}, "max_attempts"),
        (None, {"queue": ""}, "queue must be a text"),
        (None, {"unique_key": "a\x00"}, "unique_key must be a text"),
        (None, {"unique_key": "\ud800"}, "unique_key must be a text"),
        (None, {"labels": {"a": "\ud800"}}, "labels must map"),
        (None, {"labels": {"a": 1}}, "labels must map"),
        (None, {"job_id": "x"}, "job_id must be a uuid.UUID"),
    ],
)
def test_p11_what_is_refused_is_refused_before_anything_is_sent(
    conn: Conn, args: Any, options: dict[str, Any], fault: str
) -> None:
    with pytest.raises(pgqueue.UsageError, match=fault):
        pgqueue.enqueue(conn, TARGET, args, **options)
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_batch_mixes_every_kind_of_duration(db: Conn) -> None:
    new = [NewJob(TARGET, delay=each) for each in (1, 1.5, timedelta(seconds=2), None)]
    assert len(pgqueue.enqueue_many(db, new)) == 4


def test_a_batch_takes_any_iterable_and_none(db: Conn) -> None:
    assert pgqueue.enqueue_many(db, []) == []
    assert len(pgqueue.enqueue_many(db, (NewJob(TARGET, [n]) for n in range(10_000)))) == 10_000
    assert count(db, "jobs") == 10_000


def test_one_wrong_job_refuses_the_batch_before_anything_is_sent(conn: Conn) -> None:
    with pytest.raises(pgqueue.ArgumentError, match=r"args\[0\]"):
        pgqueue.enqueue_many(conn, [NewJob(TARGET), NewJob(TARGET, [object()])])
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize("call", [pgqueue.get_job, pgqueue.cancel, pgqueue.retry])
def test_what_was_never_committed_is_not_found(db: Conn, call: Any) -> None:
    with pytest.raises(pgqueue.JobNotFound, match="never committed"):
        call(db, uuid4())


@pytest.mark.parametrize("call", [pgqueue.get_job, pgqueue.cancel, pgqueue.retry, pgqueue.attempts])
def test_an_id_may_be_given_as_text_and_must_be_one(db: Conn, call: Any) -> None:
    assert call(db, str(make(db, JobState.CANCELLED))) is not None
    with pytest.raises(pgqueue.UsageError, match=r"job_id must be a uuid\.UUID, or what enqueue\(\) answered, got 'x'"):
        call(db, "x")


def test_attempts_are_told_oldest_first(db: Conn) -> None:
    made = make(db, JobState.DEAD)
    (attempt,) = pgqueue.attempts(db, made)
    assert (attempt.outcome, attempt.error_type, attempt.traceback) == ("failed", "builtins.OSError", "Traceback ...")
    assert pgqueue.attempts(db, uuid4()) == []
