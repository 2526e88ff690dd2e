"""Schedules as producers make them: in the caller's transaction, on every kind of connection."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

import pgqueue
from pgqueue.store import declaring, execute, schedules
from pgqueue.tasks import Task, declared_rules
from tests.client.connections import KINDS, Kind, Opened, answer, run
from tests.factories import Conn, count


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_p1_a_schedule_that_is_rolled_back_never_was(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> None:
        assert await answer(pgqueue.schedule(opened.conn, "s", "a:b", [1], cron="0 9 * * *")) is True
        await answer(pgqueue.run_schedule(opened.conn, "s"))
        await opened.rollback()

    run(kind, dsn, act)
    assert (count(db, "schedules"), count(db, "jobs"), count(db, "ticks")) == (0, 0, 0)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_p1_a_commit_makes_a_schedule_exist(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> None:
        assert await answer(pgqueue.schedule(opened.conn, "s", "a:b", [1], cron="0 9 * * *")) is True
        assert await answer(pgqueue.schedule(opened.conn, "s", "a:b", [2], every=60)) is False
        assert await answer(pgqueue.pause_schedule(opened.conn, "s"))
        assert await answer(pgqueue.resume_schedule(opened.conn, "s"))
        job_id = await answer(pgqueue.run_schedule(opened.conn, "s"))
        assert (await answer(pgqueue.get_job(opened.conn, job_id))).args == [2]
        assert not await answer(pgqueue.unschedule(opened.conn, "nothing"))
        assert count(db, "schedules") == 0
        await opened.commit()

    run(kind, dsn, act)
    assert (count(db, "schedules"), count(db, "jobs")) == (1, 1)


@pgqueue.task(queue="mail", timeout=float("inf"), ttl=60, max_attempts=3, labels={"a": "b"})
def mailed(order: int) -> None: ...


def row(conn: Conn, name: str = "s") -> schedules.ScheduleRow:
    found = execute(conn, schedules.get(name))
    assert found is not None
    return found


def test_the_options_of_the_task_hold_where_none_are_given(db: Conn) -> None:
    pgqueue.schedule(db, "s", mailed, {"order": 1}, every=timedelta(minutes=5), labels={"c": "d"})
    found = row(db)
    assert (found.target, found.queue, found.labels) == (f"{__name__}:mailed", "mail", {"c": "d"})
    job_id = pgqueue.run_schedule(db, "s")
    assert job_id is not None
    kept = db.execute("select timeout, max_attempts, expires_at - run_at from pgqueue.jobs").fetchone()
    assert kept == (float("inf"), 3, timedelta(seconds=60))


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (("s", "a:b"), {}, pgqueue.OptionError),
        (("s", "a:b"), {"cron": "0 9 * * mom"}, pgqueue.OptionError),
        (("s", "a:b"), {"every": 60, "corn": 1}, pgqueue.OptionError),
        (("s", "a:b"), {"every": 60, "delay": 1}, pgqueue.OptionError),
        (("s", "a:b"), {"every": 60, "priority": 10}, pgqueue.OptionError),
        (("s", "a:b"), {"every": 60, "unique_until": "start"}, pgqueue.OptionError),
        (("s", "a:b"), {"every": 60, "unique_key": "k", "on_conflict": "raise"}, pgqueue.OptionError),
        (("", "a:b"), {"every": 60}, pgqueue.OptionError),
        ((5, "a:b"), {"every": 60}, pgqueue.OptionError),
        (("s", "nothing"), {"every": 60}, pgqueue.TargetError),
        (("s", lambda: None), {"every": 60}, pgqueue.TargetError),
        (("s", "a:b", {"x": object()}), {"every": 60}, pgqueue.ArgumentError),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    db: Conn, arguments: Any, options: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        pgqueue.schedule(db, *arguments, **options)
    assert count(db, "schedules") == 0


def test_a_schedule_shares_the_key_that_is_made_of_its_arguments_with_other_jobs(db: Conn) -> None:
    pgqueue.schedule(db, "s", mailed, [7], every=60, unique="args", unique_until="start")
    ticked = pgqueue.run_schedule(db, "s")
    asked = pgqueue.enqueue(db, mailed, [7], unique="args")
    assert (asked.id, asked.created) == (ticked, False)


def test_what_code_declares_people_do_not_change(db: Conn) -> None:
    said = schedules.encoded({"schedule": {"name": "x:y", "target": "x:y", "every": 60.0}})
    execute(db, declaring.declare(1, "x", [said]))
    with pytest.raises(pgqueue.UsageError, match="declared in code"):
        pgqueue.schedule(db, "x:y", "a:b", every=5)
    assert row(db, "x:y").every == 60.0


def test_a_task_declares_its_schedule_with_its_options() -> None:
    task: Task[..., Any] = pgqueue.task(cron="0 9 * * mon-fri", timezone="Europe/Oslo", overlap="skip", queue="mail")(
        nothing
    )
    said = declared_rules(task)
    assert said is not None
    assert json.loads(said)["schedule"] == {
        "name": task.target,
        "target": task.target,
        "args": {},
        "cron": "0 9 * * mon-fri",
        "timezone": "Europe/Oslo",
        "overlap": "skip",
        "queue": "mail",
    }
    assert declared_rules(mailed) is None
    keyed = declared_rules(pgqueue.task(every=60, unique="args", unique_until="start")(nothing))
    assert keyed is not None
    assert json.loads(keyed)["schedule"]["unique_key"].startswith("args:")
    assert json.loads(keyed)["schedule"]["unique_until"] == "start"
    assert declared_rules(task.using(queue="other")) is None


def nothing(days: int = 1) -> None: ...


def needs(days: int) -> None: ...


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cron": "0 9 * * mom"}, "did you mean"),
        ({"every": 5, "cron": "@daily"}, "got both"),
        ({"jitter": 5}, "got neither"),
        ({"every": 60}, "is called without arguments"),
        ({"every": 60, "unique": "args", "on_conflict": "raise"}, "nobody to raise to"),
    ],
)
def test_a_task_that_declares_nonsense_is_refused(options: Any, said: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=said):
        pgqueue.task(**options)(needs)


def test_an_enqueue_that_names_a_rule_is_told_where_it_belongs(db: Conn) -> None:
    with pytest.raises(pgqueue.OptionError, match=r"pgqueue\.schedule"):
        pgqueue.enqueue(db, "a:b", cron="@daily")  # type: ignore[call-overload]  # that is the point


def test_without_the_schema_the_error_says_what_to_do(db: Conn) -> None:
    db.execute("drop schema pgqueue cascade")
    with pytest.raises(pgqueue.SchemaError, match="pgqueue migrate"):
        pgqueue.schedule(db, "s", "a:b", every=60)


def test_a_connection_that_is_none_is_refused() -> None:
    with pytest.raises(pgqueue.UsageError):
        pgqueue.schedule("postgresql://", "s", "a:b", every=60)  # type: ignore[call-overload]  # that is the point
