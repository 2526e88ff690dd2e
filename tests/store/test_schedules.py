"""Schedules in the database: what people say of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.cron import Tick
from pgqueue.store import execute, schedules
from pgqueue.store.schedules import Fired
from tests.factories import Conn, count
from tests.store.scheduling import TZDATA, ago, decision, fire, history, make_due, put, row


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
