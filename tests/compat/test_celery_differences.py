"""What Celery has and pgqueue has otherwise raises where it is written, and names ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

import pgqueue
from pgqueue.compat.celery import Celery, Signature, chain, group
from pgqueue.compat.celery.exceptions import Reject
from pgqueue.compat.celery.schedules import crontab
from tests.compat.proj.celery import app
from tests.compat.proj.tasks import add


def task(**options: object) -> Callable[[], object]:
    def made(x: int) -> int:
        return x

    made.__qualname__, made.__module__ = "made", __name__
    return lambda: app.task(**options)(made)


@pytest.mark.parametrize(
    ("call", "ours"),
    [
        (task(base=object), "@pgqueue.hooks.on_dead"),
        (task(routing_key="a"), "say queue"),
        (task(pydantic=True), "annotate the parameters"),
        (task(acks_late=False, autoretry_for=(OSError,)), "at_most_once=True"),
        (task(retry_kwargs={"interval": 5}), "countdown and max_retries"),
        (task(nosuch=1), "task takes no option 'nosuch'"),
        (lambda: add.apply_async((1, 2), headers={"a": "b"}), "say labels"),
        (lambda: add.apply_async((1, 2), soft_time_limit=3), r"@app.task\("),
        (lambda: add.apply_async((1, 2), retry_policy={"max": 5}), "autoretry_for"),
        (lambda: add.apply_async((1, 2), countdown=10, expires=5), "expires must be later"),
        (lambda: add.apply_async((1, 2), priority=200), "priority must be"),
        (lambda: add.apply(args=(1, 2)), "pgqueue.testing.run_job"),
        (lambda: add.update_state(state="PROGRESS"), r"current_job\(\).progress"),
        (lambda: add.replace(add.s(1, 1)), r"current_job\(\).add"),
        (lambda: add.delay(1, 2, 3, 4), "too many positional arguments"),
        (lambda: add.retry(countdown=1, args=(1,)), "runs the same job again"),
        (lambda: Reject("no", requeue=True), "pgqueue.Snooze"),
        (lambda: add.s(1, 1).freeze(), "say task_id"),
        (lambda: add.s(1, 1).stamp(stamp="x"), "say labels"),
        (lambda: add.s(1, 1) | add, r"write task.s\("),
        (lambda: group([add]), r"write task.s\("),
        (lambda: chain().apply_async(), "a chain needs a task"),
        (lambda: Signature("add").apply_async(), "import its module first"),
        (lambda: Signature("shop.tasks.send", (1,), {"x": 1}, app=app).apply_async(), "all positional or all"),
        (lambda: app.start(), "pgqueue worker -A"),
        (lambda: app.control.inspect(), "pgqueue workers"),
        (lambda: app.control.rate_limit("add", "10/m"), r"pgqueue.set_limit\("),
        (lambda: app.AsyncResult("1").graph, "pgqueue workflows show"),
        (lambda: app.conf.update(worker_concurrency=4), "pgqueue worker --concurrency"),
        (lambda: app.conf.update(task_always_eager=True), r"pgqueue.testing.eager\(\)"),
        (lambda: app.conf.update(CELERY_TIMEZONE="UTC"), "did you mean timezone"),
        (lambda: app.conf.update(task_rotes={}), "did you mean task_routes"),
        (lambda: app.conf.update(result_expires=timedelta(days=2)), "a day at most"),
        (lambda: app.conf.update(timezone="Europe/Olso"), "did you mean Europe/Oslo"),
        (lambda: crontab(day_of_month=13, day_of_week="fri"), "either is enough"),
        (lambda: app.add_periodic_task("daily", add.s(1, 1)), "seconds, a timedelta or a crontab"),
    ],
)  # fmt: skip
def test_what_differs_names_ours(call: Callable[[], object], ours: str) -> None:
    with pytest.raises((pgqueue.UsageError, AttributeError), match=ours):
        call()


@pytest.mark.parametrize(("name", "ours"), [("signals", "hooks"), ("Task", "hooks"), ("current_task", "bind=True")])
def test_what_differs_names_ours_where_it_is_imported(name: str, ours: str) -> None:
    with pytest.raises(ImportError, match=ours):
        exec(f"from pgqueue.compat.celery import {name}")


def test_solar_schedules_are_refused() -> None:
    with pytest.raises(ImportError, match="crontab"):
        exec("from pgqueue.compat.celery.schedules import solar")


@pytest.mark.parametrize(
    ("rule", "ours"),
    [
        (crontab(), "* * * * *"),
        (crontab(minute=0, hour=0), "0 0 * * *"),
        (crontab(minute=0, hour="*/3"), "0 */3 * * *"),
        (crontab(minute=0, hour="0,3,6,9,12,15,18,21"), "0 0,3,6,9,12,15,18,21 * * *"),
        (crontab(day_of_week="sunday"), "* * * * sun"),
        (crontab(minute="*/10", hour="3,17,22", day_of_week="thu, fri"), "*/10 3,17,22 * * thu,fri"),
        (crontab(0, 0, day_of_month="2"), "0 0 2 * *"),
        (crontab(0, 0, day_of_month="11", month_of_year="may"), "0 0 11 may *"),
        (crontab(hour=[8, 9], day_of_week={1, 5}), "* 8,9 * * 1,5"),
    ],
)
def test_crontabs_are_rules_of_ours(rule: crontab, ours: str) -> None:
    assert rule.rule == ours


def test_without_a_backend_results_are_not_asked_for(shop: str) -> None:
    app = Celery("plain", set_as_current=False)
    assert not app.conf.keeps_results
    call = app.signature("tests.compat.proj.tasks.add", (1, 1))
    with pytest.raises(pgqueue.UsageError, match="backend='pgqueue'"):
        call.delay().get(timeout=20)


def test_a_broker_that_is_postgresql_is_the_database() -> None:
    assert Celery(broker="postgresql://localhost/shop", set_as_current=False).conf.dsn == "postgresql://localhost/shop"
    assert Celery(broker="redis://localhost", set_as_current=False).conf.dsn is None


def test_settings_are_read_from_a_namespace() -> None:
    class DjangoSettings:
        CELERY_TIMEZONE = "Europe/Oslo"
        CELERY_TASK_DEFAULT_QUEUE = "celery"
        DEBUG = True

    app = Celery(set_as_current=False)
    app.config_from_object(DjangoSettings, namespace="CELERY")
    assert (app.conf.timezone, app.conf["task_default_queue"]) == ("Europe/Oslo", "celery")
