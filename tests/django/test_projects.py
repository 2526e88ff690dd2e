"""Real projects on each Django: workers with child processes, lost connections, and this folder's tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import pgqueue
from tests.django.versions import bin_of, each_version
from tests.postgres import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.adopt
SETTINGS = """
import os
DATABASES["default"] = {
    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "CONN_MAX_AGE": None,
}
INSTALLED_APPS += ["pgqueue.contrib.django", "orders"]
"""
TASKS = """
import os

import pgqueue
from django.db import connection


@pgqueue.task(retry=pgqueue.Fixed(0.1, jitter=0))
def whose(number: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("insert into seen values (%s, pg_backend_pid(), %s)", [number, os.getpid()])
"""


class Project:
    """A project in a folder, with the shell of somebody who works on it."""

    def __init__(self, folder: Path, version: str, dsn: str) -> None:
        self.folder = folder
        given = conninfo_to_dict(dsn)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DJANGO"))}
        self.env = kept | {
            "PATH": os.pathsep.join([str(bin_of(version)), kept["PATH"]]),
            "PGHOST": str(given["host"]),
            "PGPORT": str(given["port"]),
            "PGUSER": str(given["user"]),
            "PGDATABASE": str(given["dbname"]),
        }
        self._started: list[subprocess.Popen[bytes]] = []
        self.run("django-admin startproject shop .")
        self.run("python manage.py startapp orders")
        with (folder / "shop" / "settings.py").open("a") as file:
            file.write(SETTINGS)
        (folder / "orders" / "tasks.py").write_text(TASKS)
        self.run("python manage.py migrate -v 0")

    def run(self, command: str) -> str:
        """Run a command to its end."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start one that goes on."""
        with (self.folder / "log").open("ab") as log:
            self._started.append(
                subprocess.Popen(
                    ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.env, stdout=log, stderr=log
                )
            )
        return self._started[-1]

    def close(self) -> None:
        """End what goes on."""
        for each in self._started:
            each.terminate()
            each.wait(30)


NewProject = Callable[[str], Project]


@pytest.fixture
def new_project(tmp_path: Path, dsn: str) -> Iterator[NewProject]:
    made: list[Project] = []

    def new_project(version: str) -> Project:
        made.append(Project(tmp_path, version, dsn))
        return made[-1]

    yield new_project
    for each in made:
        each.close()


@each_version
def test_a_child_whose_connection_was_lost_has_another_for_the_next_job(
    version: str, new_project: NewProject, dsn: str
) -> None:
    project = new_project(version)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("create table seen (number int, backend int, child int)")
        worker = project.start("python manage.py pgqueue worker -c 1")

        def run(number: int) -> tuple[Any, ...]:
            pgqueue.enqueue(conn, "orders.tasks:whose", [number])
            return wait_until(
                lambda: conn.execute("select backend, child from seen where number = %s", [number]).fetchone(), 60
            )

        backend, child = run(1)
        assert run(2) == (backend, child)
        conn.execute("select pg_terminate_backend(%s)", [backend])
        after, same_child = run(3)
        assert (after != backend, same_child) == (True, child)
        assert run(4) == (after, child)
        worker.terminate()
        assert worker.wait(30) == 0, (project.folder / "log").read_text()


@each_version
def test_the_tests_of_this_folder_pass(version: str) -> None:
    command = [bin_of(version) / "python", "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/django"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout[-10_000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
