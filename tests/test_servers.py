"""The servers that the tests run on leave nothing behind, and their databases are fresh."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgqueue.embedded import Server, pidfile
from tests.postgres import ROOT
from tests.waiting import wait_until

A_TEST_RUN = """
import time
from tests.postgres import DURABLE, FAST, started_server, swept_folder

with swept_folder() as folder:
    servers = [started_server(folder / name, settings) for name, settings in (("a", FAST), ("b", DURABLE))]
    print(folder, *(server.pid for server in servers), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def test_run() -> Iterator[subprocess.Popen[str]]:
    """A process that runs two servers as a test run does."""
    command = [sys.executable, "-c", A_TEST_RUN]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdout=pipe, stderr=nothing, text=True, cwd=ROOT) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_killed_test_run_leaves_no_server_and_no_folder(test_run: subprocess.Popen[str], number: str) -> None:
    assert test_run.stdout
    folder, *pids = test_run.stdout.readline().split()
    assert all(pidfile.command_line(int(pid)) for pid in pids)
    test_run.send_signal(signal.Signals[number])
    wait_until(lambda: not Path(folder).exists(), timeout=20, message="the folder is removed")
    wait_until(lambda: not any(pidfile.command_line(int(pid)) for pid in pids), message="the servers ended")


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_a_database_of_its_own(conn: psycopg.Connection[object], turn: str) -> None:
    conn.execute("create table left_by_the_other_test (turn text)")
    conn.commit()


def test_private_server_may_be_killed_and_restarted(private_server: Server) -> None:
    for accident in (private_server.kill, private_server.stop, private_server.restart):
        accident()
        private_server.start()
        with psycopg.connect(private_server.dsn(tcp=True)) as conn:
            assert conn.execute("show fsync").fetchone() == ("on",)
