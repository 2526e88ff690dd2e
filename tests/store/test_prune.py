"""Pruning: what is past its keeping time goes, in bounded batches, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, workers
from tests.conftest import Connect
from tests.factories import Conn, claim_one, count, fail, job, make, outcomes, settle, state

HISTORY, DEAD = timedelta(days=7), timedelta(days=180)


def id_of(days_ago: float) -> UUID:
    """A job id as it was made some days ago."""
    milliseconds = int((datetime.now(UTC) - timedelta(days=days_ago)).timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62 | uuid4().int % 2**62)


def age(conn: Conn, days: float) -> None:
    """All that is written down happened some days earlier."""
    past = timedelta(days=days)
    for table, column in (("attempts", "finished_at"), ("dead_jobs", "died_at"), ("results", "expires_at")):
        conn.execute(f"update pgqueue.{table} set {column} = {column} - %s", [past])


def prune(conn: Conn, calls: int = 1) -> int:
    return sum(execute(conn, workers.prune(HISTORY, DEAD)) for _ in range(calls))


def ended(conn: Conn, made: UUID) -> UUID:
    settle(conn, claim_one(conn, job_id=made))
    return made


def test_history_goes_after_its_keeping_time(db: Conn) -> None:
    old = ended(db, id_of(8))
    age(db, 7.5)
    new = ended(db, id_of(6))
    assert prune(db) == 1
    assert (state(db, old), state(db, new)) == (None, "succeeded")
    assert prune(db) == 0


def test_history_that_is_young_stays_though_its_job_is_old(db: Conn) -> None:
    made = ended(db, id_of(100))
    assert prune(db, 20) == 0
    assert state(db, made) == "succeeded"


@pytest.mark.parametrize("live", [JobState.READY, JobState.RETRYING, JobState.RUNNING])
def test_p2_the_history_of_a_live_job_never_goes(db: Conn, live: JobState) -> None:
    taken = claim_one(db, job_id=id_of(400))
    fail(db, taken)
    if live is JobState.RETRYING:
        db.execute("update pgqueue.jobs set run_at = now() + interval '1 hour'")
    elif live is JobState.RUNNING:
        db.execute("update pgqueue.jobs set worker = 1")
    age(db, 399)
    assert prune(db, 20) == 0
    assert (state(db, taken.id), outcomes(db, taken.id)) == (live, ["failed"])


def test_p2_a_dead_job_and_its_history_stay_for_their_own_time(db: Conn) -> None:
    made = make(db, JobState.DEAD, job_id=id_of(180))
    age(db, 179)
    assert prune(db, 20) == 0
    assert (job(db, made).state, outcomes(db, made)) == ("dead", ["failed"])


def test_a_dead_job_past_its_time_goes_with_its_attempts(db: Conn) -> None:
    made = make(db, JobState.DEAD, job_id=id_of(182))
    age(db, 181)
    assert prune(db) == 1
    assert (state(db, made), count(db, "attempts")) == (None, 0)


def test_p2_live_jobs_never_go_whatever_their_age(db: Conn) -> None:
    made = make(db, JobState.SCHEDULED, job_id=id_of(4000))
    prune(db, 20)
    assert state(db, made) == "scheduled"


def test_expired_results_go(db: Conn) -> None:
    made = ended(db, id_of(2))
    db.execute("insert into pgqueue.results values (%s, now() - interval '1 hour', '1')", [made])
    fresh = ended(db, id_of(0.5))
    db.execute("insert into pgqueue.results values (%s, now() + interval '1 hour', '1')", [fresh])
    assert prune(db) == 1
    assert db.execute("select job_id from pgqueue.results").fetchall() == [(fresh,)]


def test_a_job_that_ended_long_after_it_was_made_is_met_in_time(db: Conn) -> None:
    ended(db, id_of(100))
    age(db, 8)
    assert prune(db, 50) == 1


def test_ids_that_are_not_ordered_by_time_are_met_in_time(db: Conn) -> None:
    for number in range(20):
        ended(db, uuid5(UUID(int=0), str(number)))
    age(db, 8)
    assert prune(db, 200) == 20


def test_a_batch_is_bounded(db: Conn) -> None:
    db.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, finished_at)"
        " select pgqueue.uuid7_floor(now() - interval '8 days' - n * interval '1 ms'), 1, 1, 'succeeded', 'q', 'a:b',"
        " now() - interval '8 days' from generate_series(1, 3000) as n"
    )
    rows = db.execute("select pgqueue.prune('7 days', '180 days', 100) from generate_series(1, 5)").fetchall()
    assert all(100 <= row[0] <= 300 for row in rows)
    assert sum(row[0] for row in rows) + count(db, "attempts") == 3000


def test_what_is_kept_does_not_slow_it_down(db: Conn) -> None:
    db.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, finished_at)"
        " select pgqueue.uuid7_floor(now() - interval '30 days' - n * interval '1 s'), 1, 1, 'failed', 'q', 'a:b',"
        " now() - interval '30 days' from generate_series(1, 20000) as n;"
        "insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, store_result, queue,"
        " target, args, reason) select job_id, now(), now(), 1, 5, 1, 0, false, 'q', 'a:b', '{}', 'x'"
        " from pgqueue.attempts"
    )
    old = ended(db, id_of(8))
    db.execute("update pgqueue.attempts set finished_at = now() - interval '8 days' where job_id = %s", [old])
    db.execute("select pg_stat_force_next_flush(), pg_stat_reset()")
    db.execute("select pgqueue.prune('7 days', '180 days', 100)")
    db.execute("select pg_stat_force_next_flush()")
    row = db.execute("select sum(idx_tup_read) from pg_stat_user_indexes where schemaname = 'pgqueue'").fetchone()
    assert row is not None
    assert row[0] < 2000
    assert state(db, old) is None


def test_who_comes_second_waits_for_nobody(db: Conn, connect: Connect) -> None:
    ended(db, id_of(8))
    age(db, 8)
    first = connect()
    assert prune(first) == 1
    db.execute("set statement_timeout = '2s'")
    assert prune(db) == 0
    first.commit()
