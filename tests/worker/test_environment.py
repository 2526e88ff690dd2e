"""What the children of a worker inherit: no database, no password and no key, unless databases are to be passed on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from pgqueue import secret_environment
from pgqueue.store import execute, reading
from pgqueue.store.dsn import with_password
from tests.postgres import ROOT
from tests.signing.keys import secret_line
from tests.worker import private_tasks
from tests.worker.running import Desk

MODULE = private_tasks.__name__
PASSWORD, KEY = "hunter2-of-the-worker", secret_line("own").strip()
NAMES = {"PGQUEUE_DSN", "PGQUEUE_LISTEN_DSN", "PGQUEUE_JOB_DSN", "PGQUEUE_DSN_FILE", "PGPASSWORD"}
# Where keys are, and the variables that hold them, of any name.
SOURCES = {"PGQUEUE_SIGNING_KEYS": "env:PGQUEUE_OWN_KEY", "PGQUEUE_ENCRYPTION_KEYS": "env:SHOP_KEYRING"}
HOLDERS = {"PGQUEUE_OWN_KEY": KEY, "SHOP_KEYRING": KEY}
KEYS = {*SOURCES, "PGQUEUE_OWN_KEY"}

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at /proc")


def looked(desk: Desk, dsn: str, told: Path, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a job finds, and what a hook finds, of a worker whose secrets all stand in its environment."""
    job_id = desk.send(f"{MODULE}:look")
    environment = {
        **os.environ,
        "HOOK_TOLD": str(told),
        "PGQUEUE_DSN": dsn,
        "PGQUEUE_LISTEN_DSN": f"{dsn} password={PASSWORD}",
        "PGPASSWORD": PASSWORD,
        **SOURCES,
        **HOLDERS,
        # The result is read here, without keys.
        "PGQUEUE_ENCRYPT": "marked",
        "SHOP_TOKEN": "of the app",
    }
    command = [sys.executable, "-m", "pgqueue", "worker", "-A", MODULE, "-c", "1", "--burst", *options]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert desk.job(job_id).state == "succeeded", desk.errors(job_id)
    return execute(desk.conn, reading.result(job_id))[1], json.loads(told.read_text())


@needs_proc
def test_no_secret_of_a_worker_is_in_the_environment_of_its_children(desk: Desk, dsn: str, tmp_path: Path) -> None:
    job, hook = looked(desk, dsn, tmp_path / "told")
    assert hook["pid"] != job["pid"]
    for found in (job["own"], job["started"], hook["environ"]):
        assert found.keys() & (NAMES | KEYS | HOLDERS.keys()) == set()
        assert found["SHOP_TOKEN"] == "of the app"
    assert PASSWORD not in job["kernel"]
    assert KEY not in job["kernel"]
    assert dsn not in job["kernel"]


@needs_proc
def test_a_child_finds_its_database_without_them(desk: Desk, dsn: str, tmp_path: Path) -> None:
    job, _ = looked(desk, dsn, tmp_path / "told")
    assert job["database"] == conninfo_to_dict(dsn)["dbname"]
    assert job["password"] == PASSWORD


@needs_proc
def test_databases_are_passed_on_where_that_is_asked_and_keys_are_not(desk: Desk, dsn: str, tmp_path: Path) -> None:
    job, hook = looked(desk, dsn, tmp_path / "told", "--pass-dsn")
    for found in (job["own"], job["started"], hook["environ"]):
        assert (found["PGQUEUE_DSN"], found["PGPASSWORD"]) == (dsn, PASSWORD)
        assert found.keys() & (KEYS | HOLDERS.keys()) == set()


def test_names_of_secrets_are_those_of_databases_and_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES | KEYS | {"PGQUEUE_OLD_SIGNING_KEYS", "PGQUEUE_ENCRYPTION_KEY"}:
        monkeypatch.setenv(name, "secret")
    for name in ("PGQUEUE_RELEASE", "PGQUEUE_ALERT_TOKEN", "KEYS", "PGUSER", "PGQUEUE_KEYBOARD"):
        monkeypatch.setenv(name, "open")
    assert "secret" not in secret_environment.inherited().values()
    assert {name for name, value in secret_environment.inherited().items() if value == "open"} == {
        "PGQUEUE_RELEASE",
        "PGQUEUE_ALERT_TOKEN",
        "KEYS",
        "PGUSER",
        "PGQUEUE_KEYBOARD",
    }


def test_a_password_of_the_environment_goes_where_a_dsn_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "a b'c")
    assert conninfo_to_dict(with_password("postgresql://u@h/d"))["password"] == "a b'c"
    assert with_password("postgresql://u:own@h/d") == "postgresql://u:own@h/d"
    assert with_password("") == ""
    monkeypatch.delenv("PGPASSWORD")
    assert with_password("host=h") == "host=h"
