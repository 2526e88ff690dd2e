"""Rows that name code, under real workers: what an attacker who may insert a row gets called, and what is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tests.worker.running import Desk

BARN = {
    "barn/__init__.py": """
from pathlib import Path
from os import system
from barn.helpers import helper
TOKEN = "t0k3n-of-the-barn"
def public(path): Path(path, "public").touch()
def _private(path): Path(path, "private").touch()
class Door:
    def __init__(self, path): Path(path, "door").touch()
""",
    "barn/helpers.py": "from pathlib import Path\ndef helper(path): Path(path, 'helper').touch()\n",
    "barn/tasks.py": """
from pathlib import Path
import pgqueue
@pgqueue.task
def declared(path): Path(path, "declared").touch()
def plain(path): Path(path, "plain").touch()
""",
    "barn/maintenance.py": """
from pathlib import Path
Path(__file__).with_name("imported").touch()
def wipe(path): Path(path, "wiped").touch()
""",
}
REFUSED = {
    "barn:_private": "begins with an underscore",
    "barn:helper": "defined in barn.helpers",
    "barn:system": "of type builtin_function_or_method",
    "barn:Door": "is a class",
    "barn:TOKEN": "of type str",
    "os:system": "part of Python",
    "barn:Door.__init__": "must read",
    "barn:Path.unlink": "must read",
    "barn:__builtins__": "part of Python itself",
}
UNKNOWN = {
    "barn.maintenance:wipe": "-A barn.maintenance or --include barn.maintenance",
    "barn.helpers:helper": "barn.helpers was not named",
    "barn.tasks:plain": "-A barn.tasks or --include barn.tasks",
}


@pytest.fixture
def barn(tmp_path: Path) -> Path:
    for name, text in BARN.items():
        (tmp_path / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / name).write_text(text)
    (tmp_path / "done").mkdir()
    return tmp_path


def worked(desk: Desk, dsn: str, barn: Path, *options: str) -> tuple[dict[str, UUID], set[str]]:
    """The jobs of all these targets, after a burst of a worker with these options; and what was called."""
    targets = ["barn:public", "barn.tasks:declared", *REFUSED, *UNKNOWN]
    # As by hand: enqueue() refuses some of these targets.
    jobs = {
        target: desk.one(
            "insert into pgqueue.jobs (id, target, args)"
            " values (pgqueue.uuid7(), %s, json_build_array(%s::text)) returning id",
            target,
            str(barn / "done"),
        )
        for target in targets
    }
    command = [sys.executable, "-m", "pgqueue", "worker", "-c", "1", "--burst", *options]
    environment = {**os.environ, "PGQUEUE_DSN": dsn}
    ended = subprocess.run(command, cwd=barn / "code", env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return jobs, {path.name for path in (barn / "done").iterdir()}


def test_a_row_gets_called_what_was_offered_and_imports_nothing(desk: Desk, dsn: str, barn: Path) -> None:
    jobs, called = worked(desk, dsn, barn, "-A", "barn")
    assert called == {"public", "declared"}
    assert not (barn / "code/barn/imported").exists()
    for target, why in REFUSED.items():
        job = desk.job(jobs[target])
        assert (job.state, job.reason) == ("dead", "refused"), target
        assert why in (job.last_error or "")
        assert "t0k3n" not in (job.last_error or "")
    parked = dict(desk.conn.execute("select target, 1 from pgqueue.parked").fetchall())
    assert parked.keys() == UNKNOWN.keys()
    assert {desk.job(jobs[target]).attempt for target in UNKNOWN} == {0}


def test_with_tasks_only_no_plain_function_is_called(desk: Desk, dsn: str, barn: Path) -> None:
    jobs, called = worked(desk, dsn, barn, "-A", "barn", "--include", "barn.tasks", "--tasks-only")
    assert called == {"declared"}
    for target in ("barn:public", "barn.tasks:plain"):
        job = desk.job(jobs[target])
        assert (job.state, job.reason) == ("dead", "refused")
        assert "--tasks-only" in (job.last_error or "")


def test_what_waited_for_it_runs_once_a_worker_is_told_of_its_module(desk: Desk, dsn: str, barn: Path) -> None:
    worked(desk, dsn, barn, "-A", "barn")
    _, called = worked(desk, dsn, barn, "-A", "barn.tasks", "--include", "barn.maintenance,barn.helpers")
    assert called == {"public", "declared", "plain", "wiped", "helper"}
