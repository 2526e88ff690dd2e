"""Enqueueing: a job exists if and only if its transaction committed, and at most once for its key or id."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import IsolationLevel

from pgqueue.ids import new_job_id
from pgqueue.job import JobState, NewJob
from pgqueue.store import enqueueing, execute, jobs
from tests.factories import HOUR, TARGET, Conn, claim, claim_one, count, enlist, enqueue, fail, job, make, settle, state

SNAPSHOTS = [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]


def test_p1_no_worker_sees_a_job_before_its_commit(db: Conn, conn: Conn) -> None:
    enqueue(conn)
    worker = enlist(db)
    assert claim(db, worker) == []
    conn.commit()
    assert len(claim(db, worker)) == 1


def test_p1_after_a_rollback_nothing_remains(db: Conn, conn: Conn) -> None:
    db.execute("listen pgqueue")
    conn.execute("set pgqueue.notify = 'always'")
    conn.commit()
    enqueue(conn, unique_key="k")
    conn.rollback()
    assert count(db, "jobs") == 0
    assert list(db.notifies(timeout=0.05)) == []
    assert execute(db, enqueueing.enqueue(NewJob(TARGET, unique_key="k"))).created


def test_p1_a_savepoint_that_is_rolled_back_takes_its_job_alone(db: Conn, conn: Conn) -> None:
    kept = enqueue(conn)
    with conn.transaction(force_rollback=True):
        enqueue(conn, unique_key="k")
    again = enqueue(conn, unique_key="k")
    conn.commit()
    assert {row[0] for row in db.execute("select id from pgqueue.jobs")} == {kept, again}


def test_p10_a_unique_key_finds_the_live_job(db: Conn) -> None:
    first = execute(db, enqueueing.enqueue(NewJob(TARGET, unique_key="k")))
    second = execute(db, enqueueing.enqueue(NewJob(TARGET, [1], unique_key="k")))
    assert (first.created, second) == (True, (first.id, False))
    assert job(db, first.id).args == {}


@pytest.mark.parametrize("live", [each for each in JobState if not each.ended and each is not JobState.WAITING])
def test_p10_a_unique_key_is_held_in_every_live_state(db: Conn, live: JobState) -> None:
    made = make(db, live, unique_key="k")
    assert enqueue(db, unique_key="k") == made


@pytest.mark.parametrize("end", [JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED])
def test_p10_a_unique_key_is_free_after_the_end(db: Conn, end: JobState) -> None:
    made = make(db, end, unique_key="k")
    assert enqueue(db, unique_key="k") != made


@pytest.mark.parametrize("found", list(JobState))
def test_p13_the_same_job_id_adds_no_second_job_in_any_state(db: Conn, found: JobState) -> None:
    given = new_job_id()
    make(db, found, job_id=given)
    assert state(db, given) == found
    assert execute(db, enqueueing.enqueue(NewJob(TARGET, job_id=given))) == (given, False)
    assert state(db, given) == found
    assert db.execute("select count(*) from pgqueue.job").fetchone() == (1,)


def test_p13_the_same_batch_adds_no_second_job(db: Conn) -> None:
    batch = [NewJob(TARGET, job_id=uuid4()), NewJob(TARGET, unique_key="k"), NewJob(TARGET, job_id=new_job_id())]
    first = execute(db, enqueueing.enqueue_many(batch))
    assert execute(db, enqueueing.enqueue_many(batch)) == first
    assert count(db, "jobs") == 3


@pytest.mark.parametrize("level", SNAPSHOTS)
def test_p13_the_same_job_id_adds_no_second_job_to_an_old_snapshot(db: Conn, conn: Conn, level: IsolationLevel) -> None:
    given = new_job_id()
    taken = claim_one(db, job_id=given)
    conn.isolation_level = level
    conn.execute("select 1 from pgqueue.jobs")
    settle(db, taken)
    with pytest.raises(psycopg.errors.SerializationFailure):
        enqueue(conn, job_id=given)
    conn.rollback()
    assert execute(conn, enqueueing.enqueue(NewJob(TARGET, job_id=given))) == (given, False)
    conn.commit()
    assert count(db, "jobs") == 0


@pytest.mark.parametrize("level", SNAPSHOTS)
@pytest.mark.parametrize("end", [settle, lambda db, taken: fail(db, taken, None)], ids=["succeeded", "dead"])
def test_p13_the_same_job_id_adds_no_second_job_to_a_snapshot_older_than_the_first(
    db: Conn, conn: Conn, level: IsolationLevel, end: Any
) -> None:
    given = new_job_id()
    conn.isolation_level = level
    conn.execute("select 1 from pgqueue.jobs")
    end(db, claim_one(db, job_id=given))
    with pytest.raises(psycopg.errors.SerializationFailure):
        enqueue(conn, job_id=given)
    conn.rollback()
    assert execute(conn, enqueueing.enqueue(NewJob(TARGET, job_id=given))) == (given, False)
    fresh = new_job_id()
    assert execute(conn, enqueueing.enqueue(NewJob(TARGET, job_id=fresh))) == (fresh, True)
    conn.commit()
    assert (count(db, "jobs"), count(db, "attempts")) == (1, 1)


def test_ids_of_a_batch_come_back_in_order(db: Conn) -> None:
    keys = ["z", None, "a", "z", "m", None]
    ids = execute(db, enqueueing.enqueue_many([NewJob(TARGET, [n], unique_key=key) for n, key in enumerate(keys)]))
    assert ids[0] == ids[3]
    assert [job(db, each).args for each in ids] == [[0], [1], [2], [0], [4], [5]]


def test_p11_one_conflict_in_a_batch_fails_none_of_the_others(db: Conn) -> None:
    taken = enqueue(db, unique_key="taken")
    ids = execute(db, enqueueing.enqueue_many([NewJob(TARGET, unique_key=key) for key in ("a", "taken", "b")]))
    assert ids[1] == taken
    assert count(db, "jobs") == 3


def test_a_batch_of_none_adds_none(db: Conn) -> None:
    assert execute(db, enqueueing.enqueue_many([])) == []


def test_a_batch_stores_every_option_of_every_job(db: Conn) -> None:
    options: list[dict[str, Any]] = [
        {"queue": "mail", "priority": 9, "max_attempts": 3, "labels": {"a": "ü"}},
        {"delay": 60, "ttl": 1.5, "timeout": 5, "limit_key": "l"},
        {"delay": 0.5, "ttl": 30, "timeout": float("inf"), "store_result": True},
    ]
    for new in ([NewJob(TARGET, [1], **each) for each in options], [NewJob(TARGET, unique_key="k"), NewJob(TARGET)]):
        execute(db, enqueueing.enqueue_many(new))
    one, two, three = db.execute(
        "select queue, priority, max_attempts, labels, round(extract(epoch from expires_at - run_at), 1)::float,"
        " timeout, limit_key, store_result, run_at > now() from pgqueue.jobs"
        " where args::text = '[1]' order by priority desc, timeout"
    ).fetchall()
    assert one == ("mail", 9, 3, {"a": "ü"}, None, None, None, None, False)
    assert two == ("default", 5, None, None, 1.5, 5, "l", None, True)
    assert three == ("default", 5, None, None, 30, float("inf"), None, True, True)


@pytest.mark.parametrize("strings", ["on", "off"])
def test_sql_tells_targets_apart_whatever_the_setting_of_strings(db: Conn, strings: str) -> None:
    db.execute(f"set standard_conforming_strings = {strings}")
    db.execute("select pgqueue.enqueue('shop.tasks:send')")
    for wrong in ("shop.tasks", "shop tasks:send", "shop:tasks:send", "shop:\tsend"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="target must read"):
            db.execute("select pgqueue.enqueue(%s)", [wrong])


def test_sql_enqueues_with_defaults(db: Conn) -> None:
    row = db.execute("select pgqueue.enqueue('shop.tasks:send')").fetchone()
    assert row is not None
    found = job(db, row[0])
    assert (found.state, found.queue, found.priority, found.args) == ("ready", "default", 5, {})
    assert found.id.version == 7


def test_sql_enqueues_with_every_option(db: Conn) -> None:
    given = uuid4()
    row = db.execute(
        """
        select pgqueue.enqueue('shop.tasks:send_receipt', '{"order_id": 42}', queue => 'mail', priority => 7,
          delay => '1 hour', ttl => '2 hours', timeout => '1 minute', max_attempts => 3, unique_key => 'k',
          limit_key => 'l', store_result => true, labels => '{"a": "b"}', job_id => %s)
        """,
        [given],
    ).fetchone()
    assert row == (given,)
    found = job(db, given)
    assert (found.state, found.queue, found.priority, found.args) == ("scheduled", "mail", 7, {"order_id": 42})
    assert (found.max_attempts, found.unique_key, found.limit_key, found.labels) == (3, "k", "l", {"a": "b"})


def test_sql_finds_the_job_that_has_the_unique_key(db: Conn) -> None:
    made = enqueue(db, unique_key="k")
    assert db.execute("select pgqueue.enqueue('a:b', unique_key => 'k')").fetchone() == (made,)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("'shop.send'", "target must read"),
        ("null", "target must read"),
        ("'a:b', '1'", "args must be a JSON array"),
        ("'a:b', '[1'", "invalid input syntax for type json"),
        ("'a:b', priority => 10", "priority must be from 0 to 9"),
        ("'a:b', delay => '1 s', run_at => now()", "give delay or run_at, not both"),
        ("'a:b', run_at => 'infinity'", "run_at must be in a year"),
        ("'a:b', run_at => '-infinity'", "run_at must be in a year"),
        ("'a:b', delay => '-1 s'", "delay must be from 0"),
        ("'a:b', delay => '1000000 years'", "delay must be from 0"),
        ("'a:b', ttl => '0'", "ttl must be more than 0"),
        ("'a:b', queue => ''", "queue must have 1 to 500 characters, got 0"),
        ("'a:b', queue => repeat('q', 501)", "queue must have 1 to 500 characters, got 501"),
        ("'a:b', unique_key => ''", "unique_key must have 1 to 500"),
        ("'a:b', limit_key => repeat('k', 501)", "limit_key must have 1 to 500"),
        ("'a:b', max_attempts => 0", "max_attempts must be from 1"),
        ("'a:b', max_attempts => 40000", "max_attempts must be from 1"),
        ("'a:b', timeout => '0 s'", "timeout must be more than 0"),
        ("'a:b', labels => '[\"a\"]'", "labels must be a JSON object of texts"),
        ("'a:b', labels => '{\"a\": 1}'", "labels must be a JSON object of texts"),
    ],
)
def test_p11_sql_refuses_what_no_worker_could_run(db: Conn, call: str, fault: str) -> None:
    with pytest.raises(psycopg.Error, match=fault) as refused:
        db.execute(f"select pgqueue.enqueue({call})")
    # 22023 is invalid_parameter_value, 22P02 what a cast to json says.
    assert refused.value.sqlstate in ("22023", "22P02")
    assert count(db, "jobs") == 0


def test_the_check_of_options_is_part_of_the_call_and_no_call_of_its_own(db: Conn) -> None:
    db.execute("set track_functions = 'all'")
    for _ in range(10):
        db.execute("select pgqueue.enqueue('a:b')")
    db.execute("select pg_stat_force_next_flush()")
    called = {row[0] for row in db.execute("select funcname from pg_stat_user_functions")}
    assert "enqueue_job" in called
    assert "fault_in_options" not in called


def test_ids_made_by_sql_and_by_python_are_ordered_by_time(db: Conn) -> None:
    made = []
    for _ in range(5):
        made.append(new_job_id())
        db.execute("select pg_sleep(0.002)")
        row = db.execute("select pgqueue.uuid7()").fetchone()
        assert row is not None
        made.append(row[0])
        db.execute("select pg_sleep(0.002)")
    assert made == sorted(made)
    assert {each.version for each in made} == {7}
    assert {each.variant for each in made} == {UUID(int=0x8000 << 48).variant}


def test_a_job_may_be_cancelled_and_found_in_the_transaction_that_enqueued_it(conn: Conn) -> None:
    made = enqueue(conn, delay=HOUR)
    assert state(conn, made) == "scheduled"
    assert execute(conn, jobs.cancel(made)) == "cancelled"
    conn.commit()
    assert state(conn, made) == "cancelled"


def test_arguments_keep_their_very_digits(db: Conn) -> None:
    text = '{"n": 1.10000000000000000000000000000000001, "big": 1e999}'
    row = db.execute("select pgqueue.enqueue('a:b', %s::json)", [text]).fetchone()
    assert row is not None
    assert db.execute("select args::text from pgqueue.job where id = %s", [row[0]]).fetchone() == (text,)
    assert json.loads(text)["n"] == pytest.approx(1.1)
