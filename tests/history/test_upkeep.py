"""Partitions are made ahead and dropped; nothing that is to be kept goes with them, and nothing fails without them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgqueue.ids import new_job_id
from pgqueue.job import JobState
from pgqueue.store import execute, workers
from tests.factories import Conn, claim_one, count, fail, outcomes, settle, state
from tests.history.filling import ago, attempt, day, dead, everything, id_of, names
from tests.history.working import at_work

HISTORY, DEAD = timedelta(days=7), timedelta(days=180)


def prune(conn: Conn, calls: int = 1) -> int:
    return sum(execute(conn, workers.prune(HISTORY, DEAD)) for _ in range(calls))


def drop_all(conn: Conn) -> None:
    """Prune until no day is left that has passed: one goes a call."""
    prune(conn, 30)
    assert not names(conn) & {day(days) for days in range(10, 31)}


def test_days_to_come_are_made_ahead(db: Conn) -> None:
    for days in range(3, 8):
        db.execute(f"drop table pgqueue.{day(-days)}")
    prune(db)
    assert {day(-days) for days in range(8)} <= names(db)


def test_a_day_that_has_passed_is_dropped_without_a_row_of_it_deleted(db: Conn) -> None:
    old, young = attempt(db, 12), attempt(db, 6)
    db.execute("select pg_stat_force_next_flush(), pg_stat_reset()")
    drop_all(db)
    db.execute("select pg_stat_force_next_flush()")
    assert db.execute("select sum(n_tup_del) from pg_stat_user_tables where relname ~ '^attempts'").fetchone() == (0,)
    assert (state(db, old), state(db, young)) == (None, "succeeded")


def test_p2_what_is_to_be_kept_of_a_day_outlives_it(db: Conn) -> None:
    gone = attempt(db, 12)
    buried = dead(db, 12)
    late = attempt(db, 12, ended=2)
    workflow = new_job_id()
    db.execute("select pgqueue.begin_workflow(%s, 'holds', null, null, null, null)", [workflow])
    member = attempt(db, 12, workflow=workflow)
    live = claim_one(db, job_id=id_of(12))
    fail(db, live, 3600)
    before = everything(db, "attempts")
    drop_all(db)
    kept = everything(db, "attempts")
    assert kept == {key: row for key, row in before.items() if not key.startswith(str(gone))}
    assert [str(each) in "".join(kept) for each in (buried, late, member, live.id)] == [True] * 4
    # And what is written of them now has a place.
    settle(db, claim_one(db, job_id=(again := id_of(12.2))))
    assert (outcomes(db, live.id), state(db, again)) == (["failed"], "succeeded")


@pytest.mark.faults
def test_days_that_left_something_over_share_one_partition(db: Conn) -> None:
    for days in range(10, 30):
        dead(db, days)
    drop_all(db)
    assert names(db, kind="kept") == {"attempts_past"}
    assert count(db, "attempts") == 20


def test_what_was_kept_longer_goes_when_its_time_has_come(db: Conn) -> None:
    revived, late = dead(db, 15), attempt(db, 15, ended=1)
    drop_all(db)
    assert count(db, "attempts") == 2
    db.execute("delete from pgqueue.dead_jobs where id = %s", [revived])
    db.execute("update pgqueue.attempts set finished_at = now() - interval '8 days' where job_id = %s", [late])
    prune(db, 40)
    assert count(db, "attempts") == 0


@pytest.mark.faults
def test_a_day_of_which_too_much_is_kept_stays_and_is_pruned_row_by_row(db: Conn) -> None:
    db.execute(
        "insert into pgqueue.dead_jobs (id, died_at, run_at, created_at, claim, priority, attempt, crashes, queue,"
        " target, args, reason) select pgqueue.uuid7_floor(now() - interval '15 days' - n * interval '1 ms'), now(),"
        " now(), now(), 1, 5, 1, 0, 'default', 'a:b', '{}', 'exhausted' from generate_series(1, 10001) as n"
    )
    db.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, finished_at)"
        " select id, 1, 1, 'failed', queue, target, now() - interval '15 days' from pgqueue.dead_jobs"
    )
    loose = attempt(db, 15)
    prune(db, 20)
    assert day(15) in names(db)
    assert (count(db, "attempts"), state(db, loose)) == (10001, None)
    said = db.execute("select again_at > now() from pgqueue.partitions_of('attempts') where name = %s", [day(15)])
    assert said.fetchone() == (True,)


def test_a_row_of_one_partition_is_not_deleted_for_one_of_another_in_its_place(db: Conn) -> None:
    """Rows are deleted by their places in a table: the first of two partitions have the same."""
    kept, gone = dead(db, 40), attempt(db, 14)
    db.execute(f"comment on table pgqueue.{day(14)} is 'not before 2999-01-01T00:00Z'")
    prune(db, 20)
    assert (state(db, kept), outcomes(db, kept), state(db, gone)) == ("dead", ["failed"], None)


def test_no_settlement_fails_where_no_day_was_made(db: Conn) -> None:
    """As when nobody pruned for a month: the newest partitions are of long ago."""
    for days in range(-7, 2):
        db.execute(f"drop table pgqueue.{day(days)}")
    for ends in (settle, lambda conn, claim: fail(conn, claim, None)):
        ends(db, claim_one(db))
    assert db.execute("select count(*) from pgqueue.attempts_rest").fetchone() == (2,)
    prune(db)
    # What had begun there moved where it belongs.
    assert db.execute("select count(*) from pgqueue.attempts_rest").fetchone() == (0,)
    assert (count(db, "attempts"), day(0) in names(db)) == (2, True)


def test_a_day_with_much_in_the_rest_is_left_there_and_the_next_are_made(db: Conn) -> None:
    for days in range(-7, 1):
        db.execute(f"drop table pgqueue.{day(days)}")
    db.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)"
        " select pgqueue.uuid7_floor(date_trunc('day', now()) + n * interval '1 ms'), 1, 1, 'succeeded', 'q', 'a:b'"
        " from generate_series(1, 10001) as n"
    )
    prune(db)
    assert day(0) not in names(db)
    assert {day(-days) for days in range(1, 8)} <= names(db)


def test_ids_that_are_no_times_are_kept_and_pruned_as_ever(db: Conn) -> None:
    made = (uuid5(UUID(int=0), str(number)) for number in range(100))
    # Half of the places that are taken by chance lie above them.
    ids = [each for each in made if str(each) < "8"][:20]
    for number, each in enumerate(ids):
        attempt(db, 0, ended=8 if number % 2 else 1, job_id=each)
    prune(db, 40)
    left = {UUID(key.split()[0]) for key in everything(db, "attempts")}
    assert left == set(ids[::2])


def test_dead_jobs_are_pruned_with_all_that_is_known_of_them_and_empty_months_go(db: Conn) -> None:
    month = f"dead_jobs_{ago(220):%Y%m}"
    gone, kept = dead(db, 220), dead(db, 220, died=20)
    prune(db, 30)
    assert (state(db, gone), outcomes(db, gone)) == (None, [])
    assert (state(db, kept), outcomes(db, kept)) == ("dead", ["failed"])
    assert month in names(db, "dead_jobs")
    db.execute("delete from pgqueue.dead_jobs")
    db.execute(f"comment on table pgqueue.{month} is null")
    prune(db, 3)
    assert month not in names(db, "dead_jobs")


def test_retry_revives_a_dead_job_of_a_month_ago(db: Conn) -> None:
    buried = dead(db, 40)
    assert db.execute("select pgqueue.retry(%s)", [buried]).fetchone() == ("ready",)
    assert (state(db, buried), count(db, "dead_jobs")) == (JobState.READY, 0)


@pytest.mark.faults
def test_who_reads_or_writes_keeps_a_partition_from_being_made_or_dropped_for_a_while(
    db: Conn, partitioned: str
) -> None:
    attempt(db, 12)
    with psycopg.connect(partitioned) as reader:
        reader.execute("select count(*) from pgqueue.attempts")
        began = datetime.now(UTC)
        prune(db)
        assert datetime.now(UTC) - began < timedelta(seconds=2)
        assert day(12) in names(db)
    drop_all(db)


@pytest.mark.faults
def test_settlements_go_on_while_days_are_dropped(db: Conn, partitioned: str) -> None:
    for days in range(10, 30):
        dead(db, days)
        attempt(db, days)
    done: list[Any] = []

    def work(conn: Conn) -> None:
        conn.execute("set lock_timeout = '1s'")
        claim = claim_one(conn)
        settle(conn, claim)
        done.append(claim.id)

    with at_work(partitioned, work):
        drop_all(db)
    assert count(db, "attempts") == 20 + len(done)


def test_an_old_snapshot_drops_nothing(db: Conn) -> None:
    attempt(db, 12)
    db.execute("begin isolation level repeatable read")
    db.execute("select pgqueue.prune('7 days', '180 days')")
    db.execute("commit")
    assert day(12) in names(db)


def test_a_role_that_may_not_own_tables_has_its_worker_drop_them_and_others_cannot(db: Conn, partitioned: str) -> None:
    name = str(conninfo_to_dict(partitioned)["dbname"])
    roles = f"shop_worker_{name}", f"shop_web_{name}"
    for role, rights in zip(roles, ("select, insert, update, delete", "select"), strict=True):
        db.execute(f"create role {role} login; grant usage on schema pgqueue to {role}")
        db.execute(f"grant {rights} on all tables in schema pgqueue to {role}")
        db.execute(f"grant execute on all functions in schema pgqueue to {role}")
    try:
        attempt(db, 12)
        with psycopg.connect(make_conninfo(partitioned, user=roles[1]), autocommit=True) as web:
            # Nothing is done for who has no lock of who prunes, and that one cannot have.
            web.execute("select pgqueue.tend_history('1 day', '1 day')")
            for call in ("prune('1 day', '1 day')", "drop_partition('attempts', '1 day')"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    web.execute(f"select pgqueue.{call}")
        assert day(12) in names(db)
        with psycopg.connect(make_conninfo(partitioned, user=roles[0]), autocommit=True) as worker:
            drop_all(worker)
    finally:
        for role in roles:
            db.execute(f"drop owned by {role}; drop role {role}")


def test_a_plain_history_is_pruned_to_the_day(conn: Conn) -> None:
    """Without partitions nothing is kept for longer than was asked for."""
    old = attempt(conn, 7.1)
    assert prune(conn) == 1
    assert state(conn, old) is None
