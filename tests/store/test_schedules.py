"""Schedules in the database: what is said of them, what schedulers decide, and what a look costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.cron import Decision, Tick
from pgqueue.job import JobState
from pgqueue.store import execute, jobs, schedules, workers
from pgqueue.store.schedules import Fired
from tests.conftest import Connect
from tests.factories import Conn, count, enlist, expire, job

TZDATA = "2026a"
HOUR = timedelta(hours=1)


def put(conn: Conn, name: str = "s", **said: Any) -> bool | None:
    values = {"name": name, "target": "shop.tasks:send", "every": 3600.0, **said}
    return execute(conn, schedules.put({name: value for name, value in values.items() if value is not None}))


def make_due(conn: Conn, *names: str) -> list[datetime]:
    """Let schedules be due now; answers their next_at."""
    found = conn.execute(
        "update pgqueue.schedules set next_at = clock_timestamp() - interval '1 s', last_at = now() - interval '1 day'"
        " where name = any (%s) returning name, next_at",
        [list(names)],
    ).fetchall()
    return [at for _, at in sorted(found)]


def decision(name: str, expected: datetime, *ticks: Tick, next_at: datetime | None = None) -> Decision:
    return Decision(name, expected, ticks, next_at or datetime.now(UTC) + HOUR)


def fire(conn: Conn, *decisions: Decision) -> Fired:
    return execute(conn, schedules.fire(decisions, TZDATA))


def history(conn: Conn, name: str = "s") -> list[tuple[str, UUID | None]]:
    return [(tick.why, tick.job_id) for tick in reversed(execute(conn, schedules.history(name, 100)))]


def row(conn: Conn, name: str = "s") -> schedules.ScheduleRow:
    found = execute(conn, schedules.get(name))
    assert found is not None
    return found


def ago(**length: float) -> datetime:
    return datetime.now(UTC) - timedelta(**length)


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


def test_the_same_rule_said_again_changes_the_job_and_a_new_rule_begins_now(db: Conn) -> None:
    assert put(db) is True
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, Tick(ago(seconds=1), "due")))
    before = row(db)
    assert put(db, target="shop.tasks:other") is False
    after = row(db)
    assert (after.target, after.last_at, after.next_at) == ("shop.tasks:other", before.last_at, before.next_at)
    began = ago()
    put(db, every=60.0)
    assert row(db).last_at >= began - timedelta(seconds=1)
    assert row(db).next_at is None


def test_a_schedule_that_was_changed_meanwhile_is_not_decided(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    put(db, every=60.0)
    assert fire(db, decision("s", expected, Tick(ago(seconds=1), "due"))) == Fired(0, 0)


def test_a_paused_schedule_is_not_due_and_goes_on_when_it_is_resumed(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    assert execute(db, schedules.pause("s"))
    assert execute(db, schedules.next_tick()) is None
    assert fire(db, decision("s", expected, Tick(ago(seconds=1), "due"))) == Fired(0, 0)
    before = row(db).last_at
    assert execute(db, schedules.resume("s"))
    (standing,), _ = execute(db, schedules.due(TZDATA, []))
    assert standing.last_at == before


def test_under_catch_up_skip_a_resumed_schedule_begins_anew(db: Conn) -> None:
    put(db, catch_up="skip")
    make_due(db, "s")
    execute(db, schedules.pause("s"))
    execute(db, schedules.resume("s"))
    assert row(db).last_at > ago(minutes=1)


def test_one_more_by_hand_is_recorded_as_such_paused_or_not(db: Conn) -> None:
    put(db, overlap="skip")
    execute(db, schedules.pause("s"))
    ids = [execute(db, schedules.run("s")), execute(db, schedules.run("s"))]
    assert history(db) == [("by hand", ids[0]), ("by hand", ids[1])]
    assert execute(db, schedules.run("nothing")) is None


def test_a_schedule_that_is_removed_leaves_its_history(db: Conn) -> None:
    put(db)
    execute(db, schedules.run("s"))
    assert execute(db, schedules.remove("s"))
    assert not execute(db, schedules.remove("s"))
    assert [why for why, _ in history(db)] == ["by hand"]


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


class Declaring:
    """Workers of one app, and what their code declares."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    def say(self, worker: int, *names: str, app: str = "shop", **said: Any) -> bool:
        declared = [
            schedules.encoded({"name": name, "target": f"{app}:{name}", "every": 60.0, **said}) for name in names
        ]
        return execute(self.conn, schedules.declare(worker, app, declared))

    def holds(self) -> dict[str, str | None]:
        """The names of all schedules, and by whom each is paused."""
        return {each.name: each.paused_by for each in execute(self.conn, schedules.rows(100))}


@pytest.fixture
def declaring(db: Conn) -> Declaring:
    return Declaring(db)


def test_an_app_that_declares_nothing_says_nothing(declaring: Declaring, db: Conn) -> None:
    assert declaring.say(enlist(db)) is False
    assert count(db, "schedule_sets") == 0


def test_what_is_declared_no_more_is_paused_and_goes_on_when_it_is_declared_again(
    declaring: Declaring, db: Conn
) -> None:
    old, new, newest = enlist(db), enlist(db), enlist(db)
    declaring.say(old, "a", "b")
    assert declaring.holds() == {"a": None, "b": None}
    declaring.say(new, "b")
    assert declaring.holds() == {"a": "code", "b": None}
    declaring.say(newest, "a", "b", "c")
    assert declaring.holds() == {"a": None, "b": None, "c": None}


def test_an_old_deploy_beside_a_new_one_changes_nothing(declaring: Declaring, db: Conn) -> None:
    old, new, old_again = enlist(db), enlist(db), enlist(db)
    declaring.say(old, "a")
    declaring.say(new, "b")
    for worker in (old_again, old, new, old):
        declaring.say(worker, *("b" if worker == new else "a"))
        assert declaring.holds() == {"a": "code", "b": None}


def test_after_the_new_code_has_gone_that_of_workers_that_stayed_holds_again(declaring: Declaring, db: Conn) -> None:
    old, new = enlist(db), enlist(db)
    declaring.say(old, "a")
    declaring.say(new, "b")
    expire(db, new)
    declaring.say(old, "a")
    assert declaring.holds() == {"a": None, "b": "code"}
    declaring.say(enlist(db), "b")
    assert declaring.holds() == {"a": "code", "b": None}


def test_what_people_paused_or_removed_stays_so_when_it_is_declared_again(declaring: Declaring, db: Conn) -> None:
    declaring.say(enlist(db), "a", "b")
    execute(db, schedules.pause("a"))
    execute(db, schedules.remove("b"))
    declaring.say(enlist(db), "a", "b")
    assert declaring.holds() == {"a": "hand"}
    declaring.say(enlist(db), "a", "b", "c")
    assert declaring.holds() == {"a": "hand", "b": None, "c": None}


def test_code_and_people_and_other_apps_change_nothing_of_each_other(declaring: Declaring, db: Conn) -> None:
    put(db, "a")
    declaring.say(enlist(db), "a", "b")
    assert row(db, "a").source is None
    assert put(db, "b") is None
    declaring.say(enlist(db), "b", app="other")
    assert row(db, "b").source == "shop"
    assert declaring.holds() == {"a": None, "b": None}


def test_two_workers_that_declare_at_once_make_each_schedule_once(
    declaring: Declaring, db: Conn, connect: Connect
) -> None:
    other = connect()
    first, second = enlist(db), enlist(db)
    Declaring(other).say(first, "a", "b")
    db.execute("set lock_timeout = '50ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        declaring.say(second, "a", "b")
    other.commit()
    declaring.say(second, "a", "b")
    assert declaring.holds() == {"a": None, "b": None}
    assert count(db, "schedule_sets") == 1


def test_sql_makes_schedules_and_refuses_what_makes_no_sense(db: Conn) -> None:
    made = db.execute(
        "select pgqueue.schedule('n', 'a:b', '[1]', cron => '0 9 * * *', timezone => 'Europe/Oslo',"
        " grace => '2 minutes', ttl => '1 hour', timeout => '30 s', labels => '{\"a\": \"b\"}', cap => 5,"
        " catch_up => 'all')"
    ).fetchone()
    assert made == (True,)
    found = row(db, "n")
    assert (found.cron, found.timezone, found.grace, found.cap, found.args) == (
        "0 9 * * *",
        "Europe/Oslo",
        120.0,
        5,
        [1],
    )
    for wrong, said in (
        ("'n', 'a:b'", "cron or every"),
        ("'n', 'nothing', every => '1 min'", "module:function"),
        ("'n', 'a:b', every => '1 ms'", "1 second or more"),
        ("'n', 'a:b', cron => '0 9 *'", "cron has 5 fields"),
        ("'n', 'a:b', cron => '@daily', timezone => 'Oslo'", "timezone knows no"),
        ("'n', 'a:b', cron => '@daily', catch_up => 'some'", "catch_up must be"),
        ("'n', 'a:b', cron => '@daily', labels => '[]'", "labels must be"),
    ):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=said):
            db.execute(f"select pgqueue.schedule({wrong})")
    with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
        db.execute("select pgqueue.schedule('n', 'a:b', cron => '@daily', timezone => 'Oslo')")
    assert refused.value.diag.message_hint == "did you mean Europe/Oslo?"


def test_a_schedule_exists_if_and_only_if_its_transaction_commits(db: Conn, conn: psycopg.Connection[Any]) -> None:
    put(conn)
    assert execute(db, schedules.next_tick()) is None
    conn.rollback()
    assert count(db, "schedules") == 0


def test_a_cancelled_tick_stays_decided(db: Conn) -> None:
    put(db)
    (expected,) = make_due(db, "s")
    fire(db, decision("s", expected, Tick(ago(seconds=1), "due")))
    made = row(db).last_job
    assert made is not None
    assert execute(db, jobs.cancel(made)) is JobState.CANCELLED
    assert count(db, "ticks") == 1
