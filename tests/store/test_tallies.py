"""Tallies: appended once, merged without a loss, made up where a worker vanished, and read within bounds."""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.buckets import BOUNDS, BUCKETS, bucket_of, quantile
from pgqueue.store import execute, rates, tallies, workers
from tests.conftest import Connect
from tests.factories import Conn, claim, count, enlist, enqueue, expire, fail, fill, settle

NOW = datetime.now(UTC)


def counts(*numbers: int) -> list[int]:
    return [*numbers, *([0] * (BUCKETS - len(numbers)))]


def row(ago: timedelta = timedelta(0), **said: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"queue": "mail", "target": "shop:send", "outcome": "succeeded", "n": 1, "ended": 1}
    return {**given, "minute": (datetime.now(UTC) - ago).isoformat(), "worker": 7, **said}


def append(conn: Conn, *rows: dict[str, Any]) -> int:
    return execute(conn, tallies.append(json.dumps(rows)))


def merge_all(conn: Conn, most: int = 5_000) -> None:
    while execute(conn, tallies.merge(most)):
        conn.commit()


def sums(conn: Conn) -> list[Any]:
    return conn.execute(
        "select queue, target, outcome, cause, sum(n), sum(ended), sum((select sum(b) from unnest(wait) as b)),"
        " sum((select sum(b * i) from unnest(run) with ordinality as u (b, i))) from pgqueue.tallies"
        " group by 1, 2, 3, 4 order by 1, 2, 3, 4"
    ).fetchall()


def test_a_foreign_worker_appends_what_it_has_counted(conn: Conn) -> None:
    assert append(conn, row(n=3, ended=2, wait=counts(1, 2), cause="0123456789ab", error_type="E", error="no")) == 1
    assert conn.execute("select n, ended, cause, wait[1:3], run from pgqueue.tallies").fetchall() == [
        (3, 2, "0123456789ab", [1, 2, 0], None)
    ]
    assert conn.execute("select cause, target, error_type, error from pgqueue.causes").fetchall() == [
        ("0123456789ab", "shop:send", "E", "no")
    ]


@pytest.mark.parametrize("wrong", ['{"a": 1}', '[{"queue": "q", "target": "a:b", "outcome": "x", "n": -1}]', "null"])
def test_what_is_no_tally_is_refused(conn: Conn, wrong: str) -> None:
    with pytest.raises(psycopg.Error):
        execute(conn, tallies.append(wrong))
    conn.rollback()
    too_short = json.dumps([row(wait=[1, 2])])
    with pytest.raises(psycopg.errors.CheckViolation):
        execute(conn, tallies.append(too_short))


def test_a_batch_whose_reply_was_lost_is_appended_once(conn: Conn) -> None:
    worker = enlist(conn)
    batch = json.dumps([row(worker=worker, n=5)])
    for number in (1, 1, 2, 2, 1):
        assert execute(conn, tallies.append_of(worker, number, NOW, batch, last=False))
    assert conn.execute("select sum(n) from pgqueue.tallies").fetchone() == (10,)


def test_a_worker_that_lost_its_lease_appends_nothing_more(conn: Conn) -> None:
    worker = enlist(conn)
    conn.execute("delete from pgqueue.workers where id = %s", [worker])
    assert not execute(conn, tallies.append_of(worker, 1, NOW, json.dumps([row(worker=worker)]), last=False))
    assert count(conn, "tallies") == 0


def test_merging_loses_nothing_and_counts_nothing_twice(conn: Conn) -> None:
    chance = random.Random(5)
    ages = [timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=60), timedelta(days=40), timedelta(days=200)]
    rows = []
    for worker in range(3):
        for age in ages:
            for n in range(40):
                rows.append(
                    row(
                        age + timedelta(minutes=chance.randrange(600) if age > timedelta(hours=1) else 0),
                        worker=worker,
                        queue=f"q{n % 3}",
                        outcome=("succeeded", "failed")[n % 2],
                        cause=None if n % 2 == 0 else f"{n % 5:012x}",
                        n=chance.randrange(1, 9),
                        ended=1,
                        wait=[chance.randrange(9) for _ in range(BUCKETS)],
                        run=[chance.randrange(9) for _ in range(BUCKETS)],
                    )
                )
    append(conn, *rows)
    before = sums(conn)
    merge_all(conn, 37)
    assert sums(conn) == before
    spans = dict(conn.execute("select span, count(*) from pgqueue.tallies group by span").fetchall())
    assert set(spans) == {60, 3600, 86400}
    assert count(conn, "tallies") < len(rows)
    # What is young stays as its worker said it.
    raw = "select count(*) from pgqueue.tallies where worker is not null"
    assert conn.execute(raw).fetchone() == (120,)


def test_two_who_merge_at_once_lose_nothing(connect: Connect) -> None:
    conn = connect(autocommit=True)
    for _ in range(10):
        append(conn, *(row(timedelta(hours=1), worker=n, n=n) for n in range(200)))
    before = sums(conn)
    faults: list[BaseException] = []

    def merge(mine: Conn) -> None:
        try:
            for _ in range(30):
                execute(mine, tallies.merge(50))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=merge, args=(connect(autocommit=True),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert sums(conn) == before


def test_nobody_who_may_only_connect_holds_up_the_merge(connect: Connect) -> None:
    """The duty is a row: an advisory lock, which anybody may take, changes nothing."""
    stranger, conn = connect(autocommit=True), connect(autocommit=True)
    for space in (0, 1, 2, 7704):
        stranger.execute("select pg_advisory_lock(7704, %s)", [space])
    append(conn, row(timedelta(hours=1)))
    assert execute(conn, tallies.merge(10)) > 0


def test_what_is_older_than_two_years_goes(conn: Conn) -> None:
    append(conn, row(timedelta(days=800)), row(timedelta(days=500)))
    merge_all(conn)
    assert count(conn, "tallies") == 1


def test_what_a_vanished_worker_had_not_counted_is_made_up(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 6)
    # Two that it has told of, then four that it has not.
    taken = claim(db, worker, 2)
    settle(db, *taken)
    until = db.execute("select clock_timestamp()").fetchone()
    assert until
    told = json.dumps([row(worker=worker, queue="default", target="shop.tasks:send", n=2, ended=2)])
    execute(db, tallies.append_of(worker, 1, until[0], told, last=False))
    taken = claim(db, worker, 4)
    settle(db, *taken[:2])
    fail(db, taken[2], delay=0.0)
    expire(db, worker)
    while execute(db, workers.reap()).unfinished:
        pass
    assert execute(db, tallies.make_up(20_000)) is True
    assert execute(db, tallies.make_up(20_000)) is False
    ended = "select outcome, count(*)::int from pgqueue.attempts group by 1 order by 1"
    told_of = "select outcome, sum(n)::int from pgqueue.tallies group by 1 order by 1"
    assert db.execute(told_of).fetchall() == db.execute(ended).fetchall()
    assert db.execute("select bool_or(degraded) from pgqueue.tallies").fetchone() == (False,)
    assert db.execute("select count(*) from pgqueue.worker_reports").fetchone() == (0,)


def test_where_the_history_is_too_long_to_be_looked_through_it_is_marked(db: Conn) -> None:
    worker = enlist(db)
    enqueue(db)
    settle(db, *claim(db, worker))
    db.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)"
        " select pgqueue.uuid7(), 1, 1, 'succeeded', 'q', 'a:b' from generate_series(1, 3000)"
    )
    db.execute("insert into pgqueue.worker_reports (id, tallied_until) values (%s, now() - interval '1 h')", [worker])
    db.execute("delete from pgqueue.workers where id = %s", [worker])
    execute(db, tallies.make_up(40))
    assert db.execute("select count(*) from pgqueue.tallies where not degraded").fetchone() == (0,)


def test_one_that_has_told_all_leaves_nothing_to_make_up(db: Conn) -> None:
    worker = enlist(db)
    enqueue(db)
    settle(db, *claim(db, worker))
    assert execute(db, tallies.append_of(worker, 1, None, json.dumps([row(worker=worker)]), last=True))
    assert execute(db, tallies.append_of(worker, 1, None, json.dumps([row(worker=worker)]), last=True))
    execute(db, workers.discharge(worker, clean=True))
    assert execute(db, tallies.make_up(1000)) is False
    assert db.execute("select sum(n) from pgqueue.tallies").fetchone() == (1,)
    assert count(db, "worker_reports") == 0


def test_attempts_that_are_lost_are_counted_by_who_takes_them_back(db: Conn) -> None:
    worker = enlist(db, concurrency=5)
    fill(db, 2)
    fill(db, 1, max_attempts=1)
    assert len(claim(db, worker, 3)) == 3
    expire(db, worker)
    while execute(db, workers.reap()).unfinished:
        pass
    assert db.execute("select outcome, n, ended from pgqueue.tallies").fetchall() == [("lost", 3, 1)]
    cause = db.execute("select pgqueue.cause_of(target, error_type, error, traceback) from pgqueue.dead_jobs")
    assert cause.fetchall() == db.execute("select cause from pgqueue.tallies").fetchall()


def test_sql_and_python_agree_on_quantiles_and_buckets(conn: Conn) -> None:
    assert conn.execute("select pgqueue.bounds_of_buckets()").fetchone() == (list(BOUNDS),)
    chance = random.Random(3)
    for _ in range(50):
        values = [math.exp(chance.uniform(-8, 13)) for _ in range(chance.randrange(1, 40))]
        mine = [0] * BUCKETS
        for value in values:
            mine[bucket_of(value)] += 1
        (theirs,) = conn.execute("select pgqueue.histogram(%s::float8[])", [values]).fetchone() or ()
        assert theirs == mine
        share = chance.uniform(0, 1)
        (found,) = conn.execute("select pgqueue.quantile(%s::bigint[], %s)", [mine, share]).fetchone() or ()
        assert found == pytest.approx(quantile(mine, share))


def test_timings_tell_of_queues_and_tasks_since_a_moment(conn: Conn) -> None:
    half = [0] * BUCKETS
    half[bucket_of(0.1)], half[bucket_of(20.0)] = 90, 10
    append(
        conn,
        row(timedelta(minutes=3), n=100, ended=100, wait=half, run=half),
        row(timedelta(minutes=3), n=4, ended=0, outcome="failed", cause="0123456789ab"),
        row(timedelta(minutes=3), n=9, outcome="late"),
        row(timedelta(hours=3), queue="web", n=1_000, ended=1_000),
    )
    (found,) = execute(conn, tallies.timings(NOW - timedelta(hours=1)))
    assert (found.name, found.n, found.ended, found.failed) == ("mail", 104, 100, 4)
    assert found.run_p50 is not None
    assert 0.053 < found.run_p50 <= 0.12
    assert found.run_p95 is not None
    assert 14 < found.run_p95 <= 30
    assert list(found.wait) == half
    found_since = {each.name for each in execute(conn, tallies.timings(NOW - timedelta(hours=5)))}
    assert found_since == {"mail", "web"}
    (by_target,) = execute(conn, tallies.timings(NOW - timedelta(hours=1), "target", target="shop:send"))
    assert by_target.name == "shop:send"
    assert execute(conn, tallies.timings(NOW - timedelta(hours=1), target="shop:other")) == []


def test_throughput_is_the_same_before_and_after_the_merge(conn: Conn) -> None:
    append(conn, *(row(timedelta(minutes=n % 50 + 6), worker=n, n=2, ended=1) for n in range(100)))

    def told() -> Sequence[Any]:
        since = datetime.now(UTC) - timedelta(hours=2)
        return execute(conn, tallies.throughput(since, datetime.now(UTC), step=timedelta(minutes=10)))

    before = told()
    assert sum(each.n for each in before) == 200
    merge_all(conn)
    assert told() == before


def test_what_comes_in_is_told_by_ids_whatever_became_of_the_jobs(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 5, queue="mail")
    fill(db, 2, queue="web")
    settle(db, *claim(db, worker, 1, "mail"))
    fail(db, *claim(db, worker, 1, "mail"), delay=None)
    fail(db, *claim(db, worker, 1, "mail"), delay=60.0)
    found = {each.queue: each.jobs for each in execute(db, tallies.entered(timedelta(minutes=5)))}
    assert found == {"mail": 5, "web": 2}


def test_of_more_than_is_looked_at_the_time_is_cut_not_the_rate(conn: Conn) -> None:
    conn.execute(
        "insert into pgqueue.jobs (id, target, queue)"
        " select pgqueue.uuid7_floor(now() - n * interval '100 ms'), 'a:b', 'q' from generate_series(1, 2000) as n"
    )
    ((jobs, seconds),) = conn.execute("select jobs, seconds from pgqueue.entered('10 minutes', 600)").fetchall()
    assert jobs / float(seconds) == pytest.approx(10, rel=0.05)


def test_rates_say_how_fast_a_queue_fills_and_empties(conn: Conn) -> None:
    fill(conn, 50, queue="mail")
    append(conn, *(row(timedelta(minutes=n), n=30, ended=30, run=counts(0, 30)) for n in range(2, 8)))
    found = execute(conn, rates.rates())["mail"]
    assert found.in_per_min == pytest.approx(10, rel=0.1)
    assert found.out_per_min == pytest.approx(30, rel=0.3)
    assert found.run_p50 is not None
    drain = found.drain(100)
    assert drain is not None
    assert timedelta(minutes=3) < drain < timedelta(minutes=9)
    assert not found.grows(100)
    assert rates.Rates("q", 410.0, 300.0, before=50).grows(100)
    assert rates.Rates("q", 410.0, 300.0).never_drains(1)
    assert not rates.Rates("q").never_drains(1)


def test_a_role_without_the_tables_of_this_release_keeps_its_lease_and_reaps(db: Conn) -> None:
    """Between `migrate` and the grants of the roles guide: what people see is missing, and nothing else."""
    role = f"former_{db.info.dbname}"
    new = (
        "pgqueue.tallies, pgqueue.depths, pgqueue.worker_reports, pgqueue.causes, pgqueue.duties,"
        " pgqueue.alert_channels"
    )
    db.execute(
        f"create role {role}; grant usage on schema pgqueue to {role};"
        f" grant select, insert, update, delete on all tables in schema pgqueue to {role};"
        f" revoke all on {new} from {role};"
        f" grant usage on all sequences in schema pgqueue to {role}"
    )
    try:
        db.execute(f"set role {role}")
        worker, vanished = enlist(db), enlist(db)
        fill(db, 2)
        (mine,) = claim(db, worker)
        assert len(claim(db, vanished)) == 1
        assert execute(db, workers.heartbeat(worker, timedelta(seconds=30), '{"busy": 1}')).alive
        expire(db, vanished)
        assert execute(db, workers.reap()).jobs == {vanished: 1}
        assert settle(db, mine) == frozenset()
        execute(db, workers.discharge(worker, clean=True))
    finally:
        db.execute(f"reset role; drop owned by {role}; drop role {role}")
    assert count(db, "tallies") == 0
