"""Ticks in the database: what schedulers decide, each once, and what a look costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pgqueue.cron import Tick
from pgqueue.job import JobState
from pgqueue.store import execute, jobs, schedules, workers
from pgqueue.store.schedules import Fired
from tests.factories import Conn, count, job
from tests.store.scheduling import HOUR, TZDATA, ago, decision, fire, history, make_due, put, row
from tests.store.test_plans import nodes


def test_a_tick_is_recorded_with_its_job_and_when_and_why(db: Conn) -> None:
    put(db, args={"a": 1}, queue="mail", priority=7, labels={"x": "y"}, timeout="Infinity", max_attempts=3)
    (expected,) = make_due(db, "s")
    at = ago(seconds=2)
    assert fire(db, decision("s", expected, Tick(at, "due"))) == Fired(1, 1)
    (tick,) = execute(db, schedules.history("s", 10))
    assert (tick.scheduled_for, tick.why) == (at, "due")
    assert tick.job_id is not None
    made = job(db, tick.job_id)
    assert (made.target, made.args, made.queue, made.priority) == ("shop.tasks:send", {"a": 1}, "mail", 7)
    assert made.labels == {"x": "y", "schedule": "s", "scheduled_for": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    assert made.run_at == at
    assert (row(db).last_job, row(db).last_at) == (made.id, at)


def test_of_two_who_decide_the_same_one_does(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    same = decision("s", expected, Tick(ago(seconds=1), "due"))
    assert [fire(db, same), fire(db, same)] == [Fired(1, 1), Fired(0, 0)]
    assert count(db, "jobs") == 1


def test_a_tick_that_has_a_row_never_fires_again_whatever_is_said(db: Conn) -> None:
    put(db)
    at = ago(seconds=1)
    for _ in range(3):
        (expected,) = make_due(db, "s")
        fire(db, decision("s", expected, Tick(at, "due")))
    assert count(db, "jobs") == count(db, "ticks") == 1


def test_a_scheduler_passes_by_what_another_has_in_hand_and_what_that_rolls_back_is_due_again(
    db: Conn, conn: psycopg.Connection[Any]
) -> None:
    put(db, "a")
    put(db, "b")
    first, second = make_due(db, "a", "b")
    at = ago(seconds=1)
    assert fire(conn, decision("a", first, Tick(at, "due"))) == Fired(1, 1)
    due, _ = execute(db, schedules.due(TZDATA, []))
    assert [standing.name for standing in due] == ["b"]
    both = (decision("a", first, Tick(at, "due")), decision("b", second, Tick(at, "due")))
    assert fire(db, *both) == Fired(1, 1)
    conn.rollback()
    assert fire(db, both[0]) == Fired(1, 1)
    assert [tick[0] for tick in history(db, "a")] == ["due"]


def test_p7_a_tick_that_is_to_come_by_the_databases_clock_waits(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    to_come = datetime.now(UTC) + HOUR
    assert fire(db, decision("s", expected, Tick(ago(seconds=1), "due"), Tick(to_come, "due"))) == Fired(1, 1)
    assert row(db).next_at is not None
    assert row(db).next_at <= to_come  # type: ignore[operator]  # see above


def test_skipped_ticks_are_recorded_without_a_job(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, Tick(ago(hours=2), "skipped"), Tick(ago(hours=1), "caught up")))
    assert [(why, job_id is not None) for why, job_id in history(db)] == [("skipped", False), ("caught up", True)]


def test_with_overlap_skip_a_tick_is_left_out_while_the_job_before_lives(db: Conn) -> None:
    put(db, overlap="skip")
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, Tick(ago(seconds=9), "due"), Tick(ago(seconds=8), "due")))
    assert [why for why, _ in history(db)] == ["due", "overlap"]
    last = row(db).last_job
    assert last is not None
    execute(db, jobs.cancel(last))
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, Tick(ago(seconds=7), "due")))
    assert [why for why, _ in history(db)] == ["due", "overlap", "due"]


def test_a_tick_whose_unique_key_a_live_job_has_is_kept_by_that_one(db: Conn) -> None:
    put(db, unique_key="k")
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, Tick(ago(seconds=9), "due"), Tick(ago(seconds=8), "due")))
    (first, made), (second, kept) = history(db)
    assert (first, second) == ("due", "kept")
    assert made == kept
    assert count(db, "jobs") == 1


def test_jitter_puts_the_job_off_and_leaves_the_tick(db: Conn) -> None:
    put(db, jitter=1000.0)
    (expected,) = make_due(db, "s")
    at = ago(seconds=1)
    fire(db, decision("s", expected, *[Tick(at + timedelta(milliseconds=n), "due") for n in range(20)]))
    offsets = [
        job(db, job_id).run_at - at  # type: ignore[operator]  # it has one
        for _, job_id in history(db)
        if job_id is not None
    ]
    assert all(timedelta(0) <= offset <= timedelta(seconds=1001) for offset in offsets)
    assert max(offsets) - min(offsets) > timedelta(seconds=100)


def test_what_newer_zones_planned_is_left_to_who_has_them_for_half_a_minute(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, next_at=ago(seconds=1)))
    assert execute(db, schedules.due("2025b", []))[0] == []
    assert len(execute(db, schedules.due("2026a", []))[0]) == 1
    db.execute("update pgqueue.schedules set next_at = now() - interval '31 s'")
    assert len(execute(db, schedules.due("2025b", []))[0]) == 1


def test_what_older_zones_planned_is_looked_at_again(db: Conn) -> None:
    put(db, cron="0 9 * * *", every=None)
    put(db, "interval")
    for name in ("s", "interval"):
        (expected,) = make_due(db, name)
        fire(db, decision(name, expected))
    assert execute(db, schedules.replan(TZDATA)) == 0
    assert execute(db, schedules.replan("2026b")) == 1
    assert [standing.name for standing in execute(db, schedules.due("2026b", []))[0]] == ["s"]


def test_history_of_ticks_is_pruned_with_all_other(db: Conn) -> None:
    put(db)
    execute(db, schedules.run("s"))
    execute(db, schedules.run("s"))
    db.execute(
        "update pgqueue.ticks set decided_at = now() - interval '8 days'"
        " where scheduled_for = (select min(scheduled_for) from pgqueue.ticks)"
    )
    assert execute(db, workers.prune(timedelta(days=7), timedelta(days=180))) == 1
    assert count(db, "ticks") == 1


def test_a_look_reads_one_index_entry_however_many_schedules_there_are(
    db: Conn, plans: Callable[[Conn, Callable[[], Any]], list[dict[str, Any]]]
) -> None:
    db.execute(
        "insert into pgqueue.schedules (name, every, target, next_at)"
        " select 's' || n, 60, 'a:b', now() + n * interval '1 s' from generate_series(1, 2000) as n"
    )
    for analysed in (False, True):
        if analysed:
            db.execute("vacuum analyze pgqueue.schedules")
        found = plans(db, lambda: execute(db, schedules.next_tick()))
        texts = str(found)
        assert "schedules_due" in texts
        assert "Seq Scan" not in texts


def test_what_cannot_be_read_is_told_in_the_schedule_until_it_is_decided(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    execute(db, schedules.note_fault("s", expected, "no such zone"))
    assert row(db).fault == "no such zone"
    assert execute(db, schedules.due(TZDATA, ["s"]))[0] == []
    fire(db, decision("s", expected))
    assert row(db).fault is None


def test_a_cancelled_tick_stays_decided(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, Tick(ago(seconds=1), "due")))
    made = row(db).last_job
    assert made is not None
    assert execute(db, jobs.cancel(made)) is JobState.CANCELLED
    assert count(db, "ticks") == 1


def test_firing_reads_the_schedules_that_it_fires_and_no_others_whatever_the_statistics_say(
    db: Conn, plans: Callable[[Conn, Callable[[], Any]], list[dict[str, Any]]]
) -> None:
    db.execute(
        "insert into pgqueue.schedules (name, cron, target, next_at) select 's' || n, '@hourly', 'a:b', now()"
        " from generate_series(1, 2000) as n"
    )
    at: Any = db.execute("select min(next_at) from pgqueue.schedules").fetchone()
    decided = [decision(f"s{n}", at[0], Tick(at[0], "due")) for n in range(1, 21)]
    found = plans(db, lambda: fire(db, *decided))
    read = sum(
        (node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for plan in found
        for node in nodes(plan)
        if node.get("Relation Name") == "schedules" and "Scan" in node["Node Type"]
    )
    assert 20 <= read <= 5 * 20
