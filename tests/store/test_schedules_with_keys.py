"""Schedules whose jobs have unique keys: until their start, for a while, or taken over by the latest tick."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pgqueue.cron import Tick
from pgqueue.store import execute, schedules
from pgqueue.store.schedules import Fired
from tests.factories import Conn, claim, count, enlist, job, settle
from tests.store.scheduling import ago, decision, fire, history, make_due, put


def tick(conn: Conn, seconds: float) -> Fired:
    """Let the schedule tick once, as if it had been so long ago."""
    (expected,) = make_due(conn, "s")
    return fire(conn, decision("s", expected, Tick(ago(seconds=seconds), "due")))


def test_ticks_that_come_while_one_runs_are_one_more_run(db: Conn) -> None:
    put(db, unique_key="k", unique_until="start")
    tick(db, 9)
    (running,) = claim(db, enlist(db))
    assert [tick(db, 8), tick(db, 7)] == [Fired(1, 1), Fired(1, 0)]
    (_, first), (_, second), (_, third) = history(db)
    assert [why for why, _ in history(db)] == ["due", "due", "kept"]
    assert (first, second) == (running.id, third)
    assert second != first


def test_a_tick_in_the_window_of_one_that_has_ended_is_kept(db: Conn) -> None:
    put(db, unique_key="k", unique_for=3600.0)
    tick(db, 9)
    settle(db, *claim(db, enlist(db)))
    assert count(db, "jobs") == 0
    assert tick(db, 8) == Fired(1, 0)
    assert [why for why, _ in history(db)] == ["due", "kept"]


def test_the_job_that_waits_runs_for_the_latest_tick(db: Conn) -> None:
    put(db, unique_key="k", on_conflict="replace")
    tick(db, 9)
    put(db, unique_key="k", on_conflict="replace", args=[2])
    assert tick(db, 8) == Fired(1, 0)
    (why, first), (second_why, second) = history(db)
    assert (why, second_why) == ("due", "replaced")
    assert first == second is not None
    latest = execute(db, schedules.history("s", 1))[0].scheduled_for
    made = job(db, first)
    assert made.args == [2]
    assert made.labels is not None
    assert made.labels["scheduled_for"] == latest.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_overlap_and_a_key_until_the_start_hold_side_by_side(db: Conn) -> None:
    put(db, unique_key="k", unique_until="start", overlap="skip")
    tick(db, 9)
    claim(db, enlist(db))
    assert tick(db, 8) == Fired(1, 0)
    assert [why for why, _ in history(db)] == ["due", "overlap"]


def test_sql_makes_the_key_of_a_schedule_from_target_and_arguments_as_enqueue_unique_does(db: Conn) -> None:
    db.execute("select pgqueue.schedule('s', 'shop.tasks:send', '[7]', every => '1 hour', unique_until => 'start')")
    job_id = execute(db, schedules.run("s"))
    other: Any = db.execute("select * from pgqueue.enqueue_unique('shop.tasks:send', '[7]')").fetchone()
    assert (other[0], other[1]) == (job_id, False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("unique_until => 'never'", "unique_until must be"),
        ("on_conflict => 'raise'", "on_conflict must be keep or replace"),
        ("unique_for => '0'", "unique_for must be"),
        ("max_wait => '-1 s'", "max_wait must be"),
    ],
)
def test_sql_refuses_what_a_tick_cannot_do_about_its_key(db: Conn, wrong: str, said: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=said):
        db.execute(f"select pgqueue.schedule('s', 'a:b', every => '1 hour', unique_key => 'k', {wrong})")
