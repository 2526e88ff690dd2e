"""Celery's "First steps" and "Next steps", as their pages have them but for the import; a real worker runs them."""

from __future__ import annotations

import uuid

import psycopg
import pytest

import pgqueue
from pgqueue.compat.celery import AsyncResult
from tests.compat.first_steps import add as first_add
from tests.compat.first_steps import app as first_app
from tests.compat.proj.celery import app
from tests.compat.proj.tasks import add, fail, flaky, quiet, stubborn, whoami
from tests.waiting import wait_until

Conn = psycopg.Connection


def test_a_task_is_called_waited_for_and_answers(shop: str) -> None:
    result = first_add.delay(4, 4)
    assert result.get(timeout=20) == 8
    assert (result.ready(), result.successful(), result.state, result.traceback) == (True, True, "SUCCESS", None)
    assert first_add(4, 4) == 8


def test_routes_and_annotations_of_the_configuration_hold(shop_conn: Conn) -> None:
    result = first_add.apply_async((1, 1), connection=shop_conn, countdown=60)
    assert pgqueue.get_job(shop_conn, result.id).queue == "low-priority"
    assert str(first_add.task.limits.rate) == "600/m"
    assert first_app.conf.timezone == "Europe/Oslo"


def test_an_error_comes_back_as_what_was_raised(shop: str) -> None:
    result = add.delay(2, "2")
    with pytest.raises(TypeError, match="unsupported operand") as raised:
        result.get(timeout=20)
    assert isinstance(raised.value.__cause__, pgqueue.JobFailed)
    assert isinstance(result.get(propagate=False), TypeError)
    assert (result.failed(), result.successful(), result.state) == (True, False, "FAILURE")
    assert "in add" in result.traceback
    assert isinstance(result.result, TypeError)


def test_a_failed_task_is_not_run_again_by_itself(shop: str, shop_conn: Conn) -> None:
    result = fail.delay()
    assert isinstance(result.get(timeout=20, propagate=False), ValueError)
    job = pgqueue.get_job(shop_conn, result.id)
    assert (job.attempt, job.reason) == (1, "not retried")


def test_an_id_that_nobody_has_is_pending(shop: str) -> None:
    assert app.AsyncResult("this-id-does-not-exist").state == "PENDING"
    assert AsyncResult(str(uuid.uuid4()), app=app).state == "PENDING"


def test_options_of_a_call_are_those_of_its_job(shop_conn: Conn) -> None:
    result = add.apply_async((2, 2), queue="lopri", countdown=10, expires=120, priority=7, connection=shop_conn)
    row = shop_conn.execute(
        "select queue, priority, run_at > now() + '5 s', extract(epoch from expires_at - run_at) from pgqueue.jobs"
        " where id = %s",
        [result.id],
    ).fetchone()
    assert row == ("lopri", 7, True, 110)
    shop_conn.rollback()
    assert result.state == "PENDING"


def test_a_call_is_in_the_callers_transaction(shop: str, shop_conn: Conn) -> None:
    with pgqueue.bound(shop_conn):
        result = add.delay(3, 3)
    assert result.state == "PENDING"
    with pytest.raises(pgqueue.JobNotFound):
        result.get(timeout=1)
    shop_conn.commit()
    assert result.get(timeout=20) == 6


def test_a_task_retries_itself_and_gives_up(shop: str) -> None:
    assert flaky.delay(2).get(timeout=20)[1:] == [2, "tests.compat.proj.tasks.flaky"]
    with pytest.raises(KeyError):
        flaky.delay(9).get(timeout=20)


def test_errors_of_autoretry_for_are_retried_to_the_end(shop: str, shop_conn: Conn) -> None:
    result = stubborn.delay()
    with pytest.raises(OSError, match="still down"):
        result.get(timeout=20)
    job = pgqueue.get_job(shop_conn, result.id)
    assert (job.attempt, job.reason) == (3, "exhausted")


def test_a_task_is_sent_by_its_name(shop: str) -> None:
    assert app.send_task("tests.compat.proj.tasks.add", args=[5, 5]).get(timeout=20) == 10
    assert app.send_task("tests.compat.proj.tasks.add", kwargs={"x": 1, "y": 2}).get(timeout=20) == 3


def test_a_shared_task_is_of_the_current_app(shop: str) -> None:
    assert whoami.delay().get(timeout=20) == "proj"


def test_a_result_that_is_ignored_is_none(shop: str) -> None:
    result = quiet.delay(4)
    assert result.get(timeout=20) is None
    assert result.successful()


def test_a_revoked_task_does_not_run(shop: str) -> None:
    result = add.apply_async((1, 1), countdown=60)
    result.revoke()
    assert (result.state, result.ready()) == ("REVOKED", True)


def test_periodic_tasks_are_schedules_once_a_worker_has_started(shop: str, shop_conn: Conn) -> None:
    def found() -> list[tuple[object, ...]]:
        rows = shop_conn.execute(
            "select name, cron, every, timezone, target, args, queue from pgqueue.schedules order by name"
        )
        return rows.fetchall()

    wait_until(lambda: len(found()) == 2, 20, "the schedules")
    shop_conn.commit()
    hourly, morning = sorted(found(), key=lambda row: row[0] != "proj.beat:add every hour")
    assert morning[:4] == ("proj.beat:add-every-morning", "30 7 * * mon", None, "Europe/London")
    assert morning[4:] == ("tests.compat.proj.tasks:add", [16, 16], "early")
    assert (hourly[0], float(hourly[2])) == ("proj.beat:add every hour", 3600.0)


def test_a_periodic_task_that_is_gone_from_the_code_is_gone_here(shop: str, shop_conn: Conn) -> None:
    kept = dict(app.conf.beat_schedule)
    app.conf.beat_schedule = {"other": {"task": "tests.compat.proj.tasks.add", "schedule": 60, "args": (1, 2)}}
    try:
        app.write_beat_schedule(shop_conn)
        names = shop_conn.execute("select name from pgqueue.schedules").fetchall()
        assert names == [("proj.beat:other",)]
    finally:
        app.conf.beat_schedule = kept
        shop_conn.rollback()
