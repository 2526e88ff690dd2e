"""What Celery has and pgqueue has otherwise raises where it is written, and names ours."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import pgqueue
from pgqueue.compat.celery import Celery, Signature, chain, group
from pgqueue.compat.celery.exceptions import Reject
from pgqueue.compat.celery.schedules import crontab
from pgqueue.compat.celery.task import CeleryTask
from pgqueue.compat.remote_errors import error_again
from pgqueue.tasks import Modules, import_modules
from tests.compat.proj.celery import app
from tests.compat.proj.tasks import add, fail


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


def own_task(**options: object) -> CeleryTask:
    def made(x: int) -> int:
        return x

    made.__qualname__, made.__module__ = "made", __name__
    return app.task(**options)(made)


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ({}, {"max_attempts": 4, "on_timeout": "bury", "on_expiry": "cancel", "retries": False, "wait": 180}),
        ({"max_retries": None}, {"max_attempts": 32_767}),
        ({"max_retries": 0}, {"max_attempts": 1}),
        ({"time_limit": 60, "soft_time_limit": 50}, {"timeout": 60, "soft_timeout": 50}),
        ({"time_limit": None}, {"timeout": math.inf}),
        ({"acks_late": True}, {"at_most_once": False}),
        ({"acks_late": False}, {"at_most_once": True}),
        ({"throws": (KeyError,)}, {"expected": (KeyError,)}),
        ({"rate_limit": "10/m"}, {"rate": "10/m"}),
        ({"rate_limit": 5}, {"rate": "5/s"}),
        ({"expires": 60, "queue": "slow", "priority": 9}, {"ttl": 60, "queue": "slow", "priority": 9}),
        ({"autoretry_for": (OSError,)}, {"retries": True, "wait": 180, "on_timeout": "retry"}),
        ({"autoretry_for": (OSError,), "dont_autoretry_for": (OSError,)}, {"retries": False}),
        ({"autoretry_for": OSError, "retry_backoff": 2, "retry_backoff_max": 3, "retry_jitter": False}, {"wait": 2}),
        (
            {"autoretry_for": OSError, "retry_kwargs": {"max_retries": 7, "countdown": 5}},
            {"max_attempts": 8, "wait": 5},
        ),
        ({"unique_key": "ours"}, {"unique_key": "ours"}),
    ],
)
def test_options_of_a_task_are_ours(said: dict[str, object], ours: dict[str, object]) -> None:
    task = own_task(**said).task
    found = {
        **task.options.said(),
        **{name: getattr(task.bounds, name) for name in ("on_timeout", "on_expiry", "soft_timeout", "at_most_once")},
        "expected": task.bounds.expected,
        "rate": task.limits.rate and str(task.limits.rate),
        "retries": task.retry.retries(OSError()),
        "wait": task.retry.wait(0),
    }
    assert {name: found[name] for name in ours} == ours


def test_bound_tasks_are_called_and_checked_without_their_first_parameter() -> None:
    def greet(self: CeleryTask, name: str) -> str:
        return f"{self.name}: {name}, {self.request.called_directly}"

    greet.__qualname__, greet.__module__ = "greet", __name__
    task = app.task(bind=True)(greet)
    assert task("Ann") == f"{__name__}.greet: Ann, True"
    with pytest.raises(pgqueue.SignatureError, match=r"its arguments are greet\(name: "):
        task.delay("Ann", "Bob")


def test_a_database_that_is_away_is_tried_again_as_the_policy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", "postgresql://nobody@127.0.0.1:1/none")
    began = time.monotonic()
    with pytest.raises(pgqueue.DatabaseUnreachable):
        add.apply_async((1, 1), retry_policy={"max_retries": 2, "interval_start": 0.2, "interval_step": 0.2})
    assert 0.4 <= time.monotonic() - began < 5
    began = time.monotonic()
    with pytest.raises(pgqueue.DatabaseUnreachable):
        add.apply_async((1, 1), retry=False)
    assert time.monotonic() - began < 0.4


def test_without_a_database_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGQUEUE_DSN", raising=False)
    with pytest.raises(pgqueue.NotBound, match=r"pgqueue.bound\(conn\).*connection=conn.*PGQUEUE_DSN"):
        add.delay(1, 1)


def test_an_async_connection_is_for_the_task_of_ours() -> None:
    with pytest.raises(pgqueue.UsageError, match=r"await task.enqueue\(conn"):
        add.apply_async((1, 1), connection=object.__new__(psycopg.AsyncConnection))


def test_a_session_of_sqlalchemy_is_a_connection(shop: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(shop))
    with Session(engine) as session, session.begin():
        single = add.apply_async((20, 22), connection=session)
        chained = chain(add.s(1, 1), add.s(40)).apply_async(connection=session)
        assert single.state == chained.state == "PENDING"
    engine.dispose()
    assert (single.get(20), chained.get(20)) == (42, 42)


def test_modules_of_packages_are_found_by_the_worker() -> None:
    app = Celery(set_as_current=False)
    app.autodiscover_tasks(["tests.compat.proj", "tests.compat"])
    (found,) = app._found_later
    assert found() == ["tests.compat.proj.tasks"]


def test_a_periodic_task_that_cannot_be_one_stops_the_worker_at_its_start() -> None:
    app = Celery(set_as_current=False)
    app.conf.beat_schedule = {
        "wrong": {"task": "tests.compat.proj.tasks.add", "schedule": crontab(hour=25), "args": (1, 2)}
    }
    with pytest.raises(pgqueue.OptionError, match="hour"):
        app.finalize()
    app.conf.beat_schedule = {"wrong": {"task": "tests.compat.proj.tasks.add", "schdule": 5}}
    with pytest.raises(pgqueue.OptionError, match="with task and schedule"):
        app.finalize()
    # What imports an app later in this process finishes this one, too.
    app.conf.beat_schedule = {}


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("ValueError", ValueError),
        ("psycopg.errors.UniqueViolation", psycopg.errors.UniqueViolation),
        ("UnicodeDecodeError", None),
        ("SystemExit", None),
        ("nobody.Knows", None),
        (None, None),
    ],
)
def test_an_error_is_made_again_where_it_can_be(kind: str | None, made: type[Exception] | None) -> None:
    error = error_again(kind, "said")
    assert (type(error) if error else None) is made


def test_settings_are_looked_at_as_a_mapping_and_by_attributes() -> None:
    conf = Celery(set_as_current=False, broker="redis://localhost").conf
    assert (conf.get("broker_url"), conf.get("nonsense", 7)) == ("redis://localhost", 7)
    assert "timezone" in conf
    assert "nonsense" not in conf
    assert not hasattr(conf, "nonsense")
    assert dict(conf)["task_routes"] == {}


def test_in_tests_tasks_run_where_they_are_called(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", dsn)
    with pgqueue.testing.eager():
        assert add.delay(2, 3).get(timeout=5) == 5
        assert (add.s(2, 3) | add.s(4)).delay().get(timeout=5) == 9
    with pytest.raises(ValueError, match="something"), pgqueue.testing.eager(raises=False):
        fail.delay().get(timeout=5)


def test_in_tests_what_waits_is_drained(conn: psycopg.Connection) -> None:
    with pgqueue.bound(conn):
        add.delay(2, 3)
        group(add.s(1, 1), add.s(2, 2)).delay()
    assert [ran.value for ran in pgqueue.testing.drain(conn)] == [5, 2, 4]


def test_a_module_that_an_app_includes_and_that_is_not_there_stops_the_worker_at_its_start() -> None:
    app = Celery(set_as_current=False, include="tests.compat.nowhere")
    with pytest.raises(pgqueue.AppError, match=r"cannot use what the apps include.*tests\.compat\.nowhere"):
        import_modules(Modules())
    app.conf.include = ()
