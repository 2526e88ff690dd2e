"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pgqueue.embedded import Server
from tests.postgres import ROOT

CONFTEST = """
import psycopg
import pytest

@pytest.fixture(scope="session")
def pgqueue_prepare():
    def prepare(dsn):
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("create table orders (id int)")
    return prepare
"""
TESTS = """
import pytest
from pgqueue.testing import assert_enqueued, drain, enqueued
from tests.testing import tasks

@pytest.mark.parametrize("number", range(4))
def test_rolled_back(pgqueue_conn, number):
    assert enqueued(pgqueue_conn) == []
    pgqueue_conn.execute("insert into orders values (1)")
    tasks.send.enqueue(pgqueue_conn, number)
    assert_enqueued(pgqueue_conn, tasks.send, args=[number])
    assert len(drain(pgqueue_conn)) == 1

@pytest.mark.parametrize("number", range(2))
def test_alone(pgqueue_db, number):
    with pgqueue_db.connect() as conn:
        assert conn.execute("select count(*) from orders").fetchone() == (0,)
        conn.execute("insert into orders values (1)")
        tasks.send.enqueue(conn, number)
    assert len(drain(pgqueue_db.dsn)) == 1

def test_shared(pgqueue_session_db):
    assert "pgqueue_scratch" in pgqueue_session_db.dsn
"""


def run(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *words]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Path:
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\npgqueue_test_dsn = {server.dsn(tcp=True)}\nfilterwarnings = error\n"
    )
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_shop.py").write_text(TESTS)
    return tmp_path


@pytest.mark.parametrize("words", [("-p", "no:xdist"), ("-n", "2")], ids=["alone", "xdist"])
def test_fixtures_work_without_xdist_and_in_many_processes(folder: Path, words: tuple[str, ...]) -> None:
    assert "7 passed" in run(folder, *words)


def test_a_start_imports_nothing_of_pgqueue(folder: Path) -> None:
    (folder / "conftest.py").unlink()
    (folder / "test_shop.py").write_text(
        "import sys\n\n"
        "def test_nothing_is_imported(pytestconfig):\n"
        "    assert pytestconfig.pluginmanager.has_plugin('pgqueue')\n"
        "    assert not [name for name in sys.modules if name.split('.')[0] in ('pgqueue', 'psycopg', 'sqlalchemy')]\n"
    )
    assert "1 passed" in run(folder)
