"""The package: a wheel that works where nothing else is, true public names, and an enqueue path that imports little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import psycopg
import pytest

import pgqueue
from pgqueue.embedded import Server
from pgqueue.store.schema import NEWEST_REVISION
from tests.postgres import ROOT, Databases

Installed = Callable[..., str]
HEAVY = ("sqlalchemy", "alembic", "typer", "click", "rich", "croniter", "multiprocessing")


def run(*command: object, cwd: Path, **environment: str) -> str:
    # Where the tests run from must not help.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Run a program of an environment that has the wheel and its dependencies, from an empty folder."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    purelib = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # The dependencies that are here already. A .pth found through a .pth is not read: not our editable install.
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "kiosk.py").write_text("def sell(thing):\n    return f'sold {thing}'\n")

    def installed(program: str, *words: object, **environment: str) -> str:
        return run(python.parent / program, *words, cwd=folder, **environment)

    return installed


@pytest.fixture
def bare_dsn(server: Server, databases: Databases) -> str:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("drop database if exists wheel with (force)")
        admin.execute("create database wheel template template0")
    return server.dsn("wheel", tcp=True)


def test_the_wheel_carries_all_that_runs(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    for source in [
        *(ROOT / "pgqueue").rglob("*.sql"),
        *(ROOT / "pgqueue").rglob("*.py"),
        ROOT / "pgqueue" / "py.typed",
        ROOT / "pytest_pgqueue.py",
    ]:
        assert str(source.relative_to(ROOT)) in names
    for source in [*(ROOT / "migrations").rglob("*.py"), ROOT / "migrations" / "script.py.mako"]:
        assert f"pgqueue/{source.relative_to(ROOT)}" in names
    for source in (ROOT / "examples" / "wordcount").glob("*.*"):
        assert f"pgqueue/demo/wordcount/{source.name}" in names
    assert not [name for name in names if name.startswith(("tests", "bench", "docs"))]


def test_the_distribution_has_a_name_of_its_own_and_the_rest_is_pgqueue(wheel: Path, installed: Installed) -> None:
    assert wheel.name.startswith(f"pgqueue_postgres-{pgqueue.__version__}-")
    code = (
        "from importlib.metadata import distribution as d;"
        " print(*sorted((e.group, e.name) for e in d('pgqueue-postgres').entry_points))"
    )
    scripts = "('console_scripts', 'pgqueue') ('console_scripts', 'pgqueue-postgres')"
    assert installed("python", "-c", code) == f"{scripts} ('pytest11', 'pgqueue')\n"


def test_the_wheel_works_in_an_empty_environment(installed: Installed, bare_dsn: str) -> None:
    assert "/environment" in installed("python", "-c", "import pgqueue; print(pgqueue.__file__)")
    said = f"pgqueue {pgqueue.__version__}\n"
    assert installed("pgqueue", "--version") == said
    # As a runner looks for it, by the name of what it installed; and without a script.
    assert installed("pgqueue-postgres", "--version") == said
    assert installed("python", "-m", "pgqueue", "--version") == said
    here = {"PGQUEUE_DSN": bare_dsn}
    assert f"revision {NEWEST_REVISION}" in installed("pgqueue", "migrate", **here)
    assert json.loads(installed("pgqueue", "migrate", "--status", "--json", **here))["state"] == "current"
    job_id = installed("pgqueue", "enqueue", "kiosk:sell", '["ink"]', "--store-result", **here).strip()
    installed("pgqueue", "worker", "-A", "kiosk", "--burst", "-c", 1, **here)
    assert json.loads(installed("pgqueue", "jobs", "result", job_id, **here)) == "sold ink"


def test_the_public_names_are_sorted_and_true() -> None:
    assert pgqueue.__all__ == sorted(pgqueue.__all__)
    visible = {
        name
        for name in dir(pgqueue)
        if not name.startswith("_") and not isinstance(getattr(pgqueue, name), ModuleType) and name != "TYPE_CHECKING"
    }
    assert set(pgqueue.__all__) == visible | {"__version__"}


def test_the_names_that_come_late_come_for_all_ways_to_ask(tmp_path: Path) -> None:
    for code in (
        "import pgqueue; assert 'Worker' in dir(pgqueue); pgqueue.Worker.run",
        "from pgqueue import Worker; Worker.run",
        "from pgqueue import *; Worker.run",
        "import pgqueue; pgqueue.worker.end_process; pgqueue.logs.JobFilter; pgqueue.testing.drain",
        "import pgqueue; assert not hasattr(pgqueue, 'Wroker')",
    ):
        run(sys.executable, "-c", code, cwd=tmp_path)


def loaded(code: str, rooms: tuple[str, ...], folder: Path, **environment: str) -> list[str]:
    """Which of these modules, and of those within, are imported by a process that runs the code."""
    code = f"{code}\nimport json, sys; print(json.dumps([*sys.modules]))"
    found = json.loads(run(sys.executable, "-c", code, cwd=folder, **environment).splitlines()[-1])
    within = tuple(f"{room}." for room in rooms)
    return [name for name in found if name in rooms or name.startswith(within)]


def test_the_enqueue_path_imports_little(tmp_path: Path) -> None:
    assert loaded("import pgqueue; pgqueue.enqueue", HEAVY, tmp_path) == []


def test_who_enqueues_imports_no_worker_and_no_command(tmp_path: Path) -> None:
    code = "from pgqueue import connect, enqueue, feed, schedule, task"
    rooms = ("worker", "cli", "operations", "search", "small_server", "alerting", "dashboard", "doctor")
    assert loaded(code, (*(f"pgqueue.{room}" for room in rooms), "http.server"), tmp_path) == []


def test_a_child_of_the_worker_imports_nothing_of_its_parent(tmp_path: Path) -> None:
    code = "import pgqueue.worker.executors.process.child, pgqueue.worker.hooks.child"
    rooms = ("worker.worker", "worker.claiming", "worker.supervision", "worker.upkeep", "operations", "search")
    assert loaded(code, (*(f"pgqueue.{room}" for room in rooms), "http.server"), tmp_path) == []


def test_the_command_line_starts_without_migrations(tmp_path: Path) -> None:
    assert loaded("import pgqueue.cli.app", ("sqlalchemy", "alembic", "rich", "croniter"), tmp_path) == []


def test_a_command_imports_no_other(tmp_path: Path, dsn: str) -> None:
    code = """
import sys
import pgqueue.cli.app as app
sys.argv = ["pgqueue", "jobs", "list", "--json"]
try:
    app.main()
except SystemExit as end:
    assert not end.code
"""
    rooms = ("alerting", "dashboard", "doctor", "worker")
    commands = ("alerts", "dashboard", "dead", "doctor", "queues", "top", "worker", "workers")
    others = (*(f"pgqueue.{room}" for room in rooms), *(f"pgqueue.cli.{command}" for command in commands))
    assert loaded(code, others, tmp_path, PGQUEUE_DSN=dsn) == []
