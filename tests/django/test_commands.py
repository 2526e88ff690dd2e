"""`manage.py pgqueue` is the command pgqueue on the project's database, with its tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest

import pgqueue
from tests.django.test_connections import TARGET
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("fresh")
APPS = ["-A", "pgqueue.contrib.django.worker_app", "-A", "tests.django.shop.tasks"]
MIDDLEWARE = ["--middleware", "pgqueue.contrib.django.closing:closing_old_connections"]


def call(*words: str, **options: Any) -> None:
    from django.core.management import call_command

    call_command("pgqueue", *words, **options)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["worker", "-c", "2"], ["worker", *APPS, *MIDDLEWARE, "-c", "2"]),
        (["jobs", "run", "0199"], ["jobs", "run", *APPS, *MIDDLEWARE, "0199"]),
        (["tasks", "list"], ["tasks", "list", *APPS]),
        (["enqueue", TARGET, "[1]"], ["enqueue", *APPS, TARGET, "[1]"]),
        (["jobs", "list", "--json"], ["jobs", "list", "--json"]),
        (["status"], ["status"]),
        ([], []),
    ],
)
def test_what_runs_jobs_is_given_the_projects_modules(typed: list[str], meant: list[str]) -> None:
    from pgqueue.contrib.django.commanding import arguments

    assert arguments(typed) == meant


def test_modules_of_the_setting_are_tasks_too() -> None:
    from django.test import override_settings

    from pgqueue.contrib.django.modules import task_modules

    with override_settings(PGQUEUE={"MODULES": ["tests.django.shop.urls", "tests.django.shop.tasks"]}):
        assert task_modules() == ["tests.django.shop.tasks", "tests.django.shop.urls"]


def test_it_works_on_the_projects_database(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # What the shell has for other programs is not the project's.
    monkeypatch.setenv("PGQUEUE_DSN", "postgresql:///nowhere")
    job = pgqueue.enqueue("default", TARGET, [1])
    call("jobs", "list", "--json")
    (found,) = json.loads(capsys.readouterr().out)
    assert found["id"] == str(job.id)
    call("--database", "other", "jobs", "list", "--json")
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_djangos_options_may_stand_anywhere(place: int, capsys: pytest.CaptureFixture[str]) -> None:
    job = pgqueue.enqueue("other", TARGET, [1])
    words = ["jobs", "list", "--json"]
    # --settings and --pythonpath have been heeded before any command begins.
    more = ["--database=other"] if place == 0 else ["--settings", "shop.settings", "--database", "other"]
    call(*words[:place], *more, *words[place:])
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == [str(job.id)]


def test_its_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    call("worker", "--help")
    assert "manage.py pgqueue worker" in capsys.readouterr().out


def test_what_ends_badly_is_an_error_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import CommandError

    with pytest.raises(CommandError) as caught:
        call("jobs", "show", "01990000-0000-7000-8000-000000000000")
    assert caught.value.returncode == 4
    assert "no job" in capsys.readouterr().err
    with pytest.raises(CommandError, match="nowhere"):
        call("--database", "nowhere", "status")


@pytest.mark.parametrize("executor", ["thread", "async"])
def test_a_worker_runs_the_projects_tasks_and_closes_its_connections(executor: str) -> None:
    from django.db import transaction

    from tests.django.shop import tasks
    from tests.django.shop.models import Receipt

    with transaction.atomic():
        result = tasks.add.enqueue(1, 2)
        tasks.send_receipt.enqueue(1)
        tasks.write_receipt.enqueue(2)
        pgqueue.enqueue("default", tasks.plain, [3])
    call("worker", "-x", executor, "-c", "2", "--burst")
    result.refresh()
    assert result.return_value == 3
    assert sorted(Receipt.objects.values_list("order", flat=True)) == [1, 2, 3]
    wait_until(lambda: held() == 0)


def test_one_worker_serves_several_databases_of_the_project() -> None:
    from django.core.management import CommandError

    from tests.django.shop import tasks

    here, there = tasks.add.enqueue(1, 2), tasks.add.using(backend="elsewhere").enqueue(3, 4)
    call("--database", "default", "--database", "other", "worker", "-x", "thread", "-c", "1", "--burst")
    for result in (here, there):
        result.refresh()
    assert (here.return_value, there.return_value) == (3, 7)
    with pytest.raises(CommandError, match="jobs takes one --database; several are for dashboard, doctor, status"):
        call("--database", "default", "--database", "other", "jobs", "list")


def held() -> int:
    """Connections of Django's to the project's database beside this one, which nobody should hold."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and application_name = '' and state = 'idle'"
        )
        return int(cursor.fetchone()[0])
