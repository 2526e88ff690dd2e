"""What is an alert: each kind found where it is, and well again where it is over."""

from __future__ import annotations

import json

import psycopg
import pytest

from pgqueue.store import alert_settings, alerts, execute, queues
from tests.alerts.scenes import H, M, S, alert, channel, died, facts, look, looks, now, state, told
from tests.factories import TARGET, Conn, claim_one, enlist, enqueue, expire, reap
from tests.limits import rule, take_keyed
from tests.scenes import failed


def settled(conn: Conn, queue: str) -> None:
    conn.execute("delete from pgqueue.jobs where queue = %s", [queue])


def test_a_queue_whose_oldest_job_is_due_for_too_long_stands(db: Conn) -> None:
    channel(db)
    enlist(db)
    enqueue(db, queue="mail")
    begin = now()
    assert looks(db, begin, begin + 59 * M, every=5 * M) == 0
    assert look(db, begin + 61 * M) == 0, "two looks"
    assert looks(db, begin + 62 * M, begin + 63 * M) == 1
    assert told(db) == [("stalled:mail", "opened")]
    settled(db, "mail")
    assert looks(db, begin + 70 * M, begin + 71 * M) == 1
    assert told(db)[-1] == ("stalled:mail", "resolved")


def test_what_is_wrong_for_long_is_told_once_an_hour(db: Conn) -> None:
    channel(db)
    enlist(db)
    enqueue(db, queue="mail")
    begin = now() + 2 * H
    looks(db, begin, begin + 150 * M, every=M)
    assert [what for _, what in told(db)] == ["opened", "again", "again"]


def test_a_bound_can_be_said_of_one_queue_and_switched_off(db: Conn) -> None:
    channel(db)
    enlist(db)
    for queue in ("mail", "bulk", "slow"):
        enqueue(db, queue=queue)
    execute(db, alert_settings.set_rule("stalled", "mail", 60))
    execute(db, alert_settings.set_rule("stalled", "slow", None))
    begin = now()
    looks(db, begin + 2 * M, begin + 3 * M)
    assert told(db) == [("stalled:mail", "opened")]
    looks(db, begin + 90 * M, begin + 91 * M)
    assert ("stalled:bulk", "opened") in told(db)
    assert all("slow" not in key for key, _ in told(db))
    assert execute(db, alert_settings.unset_rule("stalled", "slow"))
    assert not execute(db, alert_settings.unset_rule("stalled", "slow"))


def test_a_queue_that_no_worker_serves_is_told_and_a_paused_one_is_not(db: Conn) -> None:
    channel(db)
    enlist(db, queues=["web"])
    enqueue(db, queue="mail")
    enqueue(db, queue="rest")
    enqueue(db, queue="web")
    execute(db, queues.pause("rest"))
    begin = now()
    looks(db, begin + 2 * M, begin + 3 * M)
    assert told(db) == [("unserved:mail", "opened")]
    enlist(db, queues=["mail"])
    looks(db, begin + 4 * M, begin + 5 * M)
    assert told(db)[-1] == ("unserved:mail", "resolved")


def depths(conn: Conn, queue: str, ready: list[int], at: object) -> None:
    conn.execute(
        "insert into pgqueue.depths (minute, queue, ready, later, running, dead, exact)"
        " select date_trunc('minute', %s::timestamptz) - (%s - n) * interval '1 min', %s, r, 0, 0, 0, true"
        " from unnest(%s::bigint[]) with ordinality as each (r, n)",
        [at, len(ready), queue, ready],
    )


@pytest.mark.parametrize(
    ("ready", "grows"),
    [
        ([100 + 20 * n for n in range(35)], True),
        ([100 + 20 * n for n in range(15)], False),
        ([800 - 20 * n for n in range(35)], False),
        ([500] * 35, False),
        ([100] * 20 + [900] * 10 + [300] * 5, False),
        (list(range(35)), False),
    ],
    ids=["grows", "not for long", "shrinks", "stays", "a wave", "few"],
)
def test_a_queue_grows_if_it_has_for_half_an_hour_and_still_does(db: Conn, ready: list[int], grows: bool) -> None:
    channel(db)
    begin = now()
    depths(db, "mail", ready, begin)
    looks(db, begin, begin + 40 * S)
    assert told(db) == ([("growing:mail", "opened")] if grows else [])


def test_a_schedule_that_nobody_looks_at_and_a_missed_tick_are_told(db: Conn) -> None:
    channel(db)
    begin = now()
    for name in ("nightly", "hourly"):
        db.execute("select pgqueue.schedule(%s, %s, every => interval '1 h')", [name, TARGET])
    db.execute("update pgqueue.schedules set next_at = %s where name = 'nightly'", [begin - 5 * M])
    tick = "insert into pgqueue.ticks (schedule, scheduled_for, decided_at, why) values ('hourly', %s, %s, 'skipped')"
    db.execute(tick, [begin - 3 * H, begin - S])
    db.execute(tick, [begin - 2 * H, begin - S])
    looks(db, begin, begin + 40 * S)
    assert told(db) == [("schedule:hourly", "opened"), ("schedule:nightly", "opened")]
    found = alert(db, "schedule:hourly")
    assert found is not None
    assert found.n == 2


def test_a_transaction_that_is_open_for_long_is_told(db: Conn, shared: str) -> None:
    channel(db)
    with psycopg.connect(shared) as holder:
        holder.execute("select txid_current()")
        begin = now()
        looks(db, begin + 31 * M, begin + 32 * M)
        assert told(db) == [("horizon", "opened")]
        said = facts(db, "opened")["found"]
        assert str(holder.info.backend_pid) in said["who"]
        assert said["sql"] == f"select pg_terminate_backend({holder.info.backend_pid});"
        holder.rollback()
    looks(db, begin + 33 * M, begin + 34 * M)
    assert told(db)[-1] == ("horizon", "resolved")


def test_workers_that_vanish_are_told_by_host_and_those_that_end_are_not(db: Conn) -> None:
    channel(db)
    gone = [enlist(db) for _ in range(3)]
    for worker in gone:
        claim_one(db, worker=worker)
        expire(db, worker)
    asked = enlist(db)
    db.execute("select pgqueue.ask(%s, 'evict')", [asked])
    left = enlist(db)
    claim_one(db, worker=left)
    db.execute("select pgqueue.discharge(%s, false)", [left])
    reap(db)
    assert db.execute("select count(*) from pgqueue.workers").fetchone() == (0,)
    begin = now()
    looks(db, begin, begin + M)
    assert told(db) == [("worker_lost:here", "opened")]
    said = facts(db, "opened")
    assert (said["n"], said["found"]["jobs"]) == (3, 3)
    looks(db, begin + 11 * M, begin + 12 * M)
    assert told(db)[-1] == ("worker_lost:here", "resolved")


def test_where_nobody_is_told_a_lost_worker_leaves_nothing(db: Conn) -> None:
    worker = enlist(db)
    expire(db, worker)
    reap(db)
    assert db.execute("select count(*) from pgqueue.alerts").fetchone() == (0,)


def test_a_limit_that_holds_a_job_back_for_long_is_told(db: Conn) -> None:
    channel(db)
    worker = enlist(db)
    rule(db, "key", "tenant:7", concurrency=1)
    for _ in range(2):
        enqueue(db, queue="mail", limit_key="tenant:7")
    assert len(take_keyed(db, worker)) == 1
    begin = now()
    execute(db, alert_settings.set_rule("stalled", "", None))
    execute(db, alert_settings.set_rule("unserved", "", None))
    looks(db, begin + 61 * M, begin + 62 * M)
    assert told(db) == [("limit_starved:key:tenant:7", "opened")]
    assert "1 of 1 shares are taken" in facts(db, "opened")["found"]["text"]


def test_workflows_that_failed_within_the_hour_are_told_as_one(db: Conn) -> None:
    channel(db)
    flows = [failed(db, f"order {n}") for n in (1, 2)]
    begin = now()
    looks(db, begin, begin + M)
    assert told(db) == [("workflow", "opened")]
    said = facts(db, "opened")
    assert (said["n"], said["found"]["names"]) == (2, ["order 2", "order 1"])
    assert said["found"]["workflow"] == str(flows[1].id)
    looks(db, begin + 61 * M, begin + 62 * M)
    assert told(db)[-1] == ("workflow", "resolved")


def test_what_the_doctor_finds_is_told_and_over_when_it_is_found_no_more(db: Conn) -> None:
    channel(db)
    begin = now()
    execute(db, alerts.note("doctor", "indexes", 1, json.dumps({"text": "jobs_claim is missing", "cure": "create"})))
    looks(db, begin, begin + M)
    assert told(db) == [("doctor:indexes", "opened")]
    looks(db, begin + 27 * M, begin + 28 * M)
    assert told(db)[-1] == ("doctor:indexes", "resolved")


def test_one_check_of_the_doctor_or_one_host_can_be_switched_off(db: Conn) -> None:
    channel(db)
    execute(db, alert_settings.set_rule("doctor", "settings", None))
    execute(db, alert_settings.set_rule("worker_lost", "here", 3))
    begin = now()
    for check in ("settings", "tls"):
        execute(db, alerts.note("doctor", check, 1, "{}"))
    for _ in range(2):
        expire(db, enlist(db))
    reap(db)
    looks(db, begin, begin + M)
    assert told(db) == [("doctor:tls", "opened")]
    expire(db, enlist(db))
    reap(db)
    looks(db, begin + 2 * M, begin + 3 * M)
    assert told(db)[1:] == [("worker_lost:here", "opened")]


def test_the_doctor_is_asked_by_a_job_now_and_then(db: Conn) -> None:
    channel(db)
    db.execute("update pgqueue.duties set done_at = '2000-01-01'")
    begin = now()
    looks(db, begin, begin + 9 * M, every=M)
    count = "select count(*) from pgqueue.jobs where target = 'pgqueue.alerts:examine'"
    assert db.execute(count).fetchone() == (1,)
    db.execute("delete from pgqueue.jobs")
    look(db, begin + 11 * M)
    assert db.execute(count).fetchone() == (1,)


def test_our_own_messages_are_no_alert_about_themselves(db: Conn) -> None:
    channel(db)
    died(db, queue="pgqueue.alerts", n=1_000)
    db.execute("select pgqueue.enqueue('pgqueue.alerts:send', '{}', queue => 'pgqueue.alerts')")
    begin = now()
    depths(db, "pgqueue.alerts", [100 + 20 * n for n in range(35)], begin)
    looks(db, begin + 3 * H, begin + 3 * H + M)
    looks(db, begin, begin + M)
    assert told(db) == []


def test_names_of_any_kind_make_a_key(db: Conn) -> None:
    channel(db)
    name = "q'\"; drop \u202e<b>\x01 日本" + "x" * 400
    enqueue(db, queue=name)
    begin = now()
    looks(db, begin + 2 * M, begin + 3 * M)
    ((key, what),) = told(db)
    assert (key.startswith("unserved:q'"), what, len(key) < 200) == (True, "opened", True)
    assert state(db, key) == "open"


def test_a_look_at_ten_thousand_queues_and_causes_is_bounded(db: Conn) -> None:
    channel(db)
    db.execute(
        "insert into pgqueue.jobs (id, queue, target, args, run_at)"
        " select pgqueue.uuid7(), 'q' || n, 'a:b', '{}', now() - interval '3 h' from generate_series(1, 3000) as n"
    )
    db.execute(
        "insert into pgqueue.tallies (minute, worker, queue, target, outcome, cause, n, ended)"
        " select date_trunc('minute', now()), 1, 'q', 'a:b', 'failed', lpad(to_hex(n), 12, '0'), 1, 1"
        " from generate_series(1, 3000) as n"
    )
    db.execute(
        "insert into pgqueue.causes (cause, target)"
        " select lpad(to_hex(n), 12, '0'), 'a:b' from generate_series(1, 3000) as n"
    )
    begin = now()
    looks(db, begin, begin + M)
    assert told(db) == [("storm", "digest")]
    kept = db.execute("select count(*) from pgqueue.alerts").fetchone()
    assert kept is not None
    assert kept[0] <= 1_000 + 200 + 1
