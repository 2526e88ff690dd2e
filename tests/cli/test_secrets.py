"""A password that was typed stands in no list of processes, no message and no log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

import pgqueue as queue_library
from pgqueue.cli.secrets import without_secrets
from pgqueue.errors import UsageError
from tests.cli.conftest import SHOP, Command
from tests.conftest import Connect
from tests.factories import job
from tests.postgres import ROOT
from tests.waiting import wait_until

SECRET = "hun7erS3cr3t"
URI = f"postgresql://app:{SECRET}@host/db"
WORDS = f"host=host password={SECRET}"


@pytest.mark.parametrize(
    ("typed", "kept", "dsn"),
    [
        (["worker", "--dsn", URI, "-c", "2"], ["worker", "-c", "2"], URI),
        (["worker", f"--dsn={URI}"], ["worker"], URI),
        (["--dsn", WORDS, "jobs", "list"], ["jobs", "list"], WORDS),
        (["--dsn", "dbname=one", "jobs", "list", "--dsn", URI], ["jobs", "list"], URI),
        (["--dsn", URI, "jobs", "list", "--dsn", "dbname=one"], ["jobs", "list"], "dbname=one"),
        (["worker", "--dsn", "postgresql://app:a/b@host/db"], ["worker"], "postgresql://app:a/b@host/db"),
    ],
)
def test_a_dsn_with_a_secret_goes_from_the_arguments_into_the_environment(
    typed: list[str], kept: list[str], dsn: str
) -> None:
    environ: dict[str, str] = {}
    assert without_secrets(typed, environ) == kept
    assert environ == {"PGQUEUE_DSN": dsn}


def test_a_listen_dsn_goes_there_too() -> None:
    environ: dict[str, str] = {}
    typed = ["worker", "--dsn", "dbname=one", "--listen-dsn", URI, "-c", "2"]
    assert without_secrets(typed, environ) == ["worker", "--dsn", "dbname=one", "-c", "2"]
    assert environ == {"PGQUEUE_LISTEN_DSN": URI}


@pytest.mark.parametrize(
    "typed",
    [
        [],
        ["worker", "--dsn", "embedded:./db"],
        ["worker", "--dsn", "postgresql://app@host/db"],
        ["worker", "--dsn"],
        ["enqueue", "a:b", '["postgresql is nice"]', "--label", URI],
        ["enqueue", "a:b", '{"password": "x", "url": "http://a:b@c"}'],
        ["jobs", "list", "--", URI],
    ],
)
def test_other_arguments_stay_as_they_are(typed: list[str]) -> None:
    environ: dict[str, str] = {}
    assert without_secrets(typed, environ) == typed
    assert environ == {}


@pytest.mark.parametrize("dsn", [URI, WORDS, f"postgresql+psycopg://app:{SECRET}@host/db"])
def test_a_dsn_in_another_place_is_refused_and_not_shown(pgqueue: Command, dsn: str) -> None:
    with pytest.raises(UsageError):
        without_secrets(["status", dsn], {})
    ran = pgqueue("status", dsn)
    assert ran.code == 2
    assert "say --dsn before it" in ran.err
    assert SECRET not in ran.out + ran.err


@pytest.fixture
def secretive(dsn: str, tmp_path: Path) -> Iterator[Path]:
    """The log of a worker that was told a password on its command line."""
    given = conninfo_to_dict(dsn)
    uri = f"postgresql://{given['user']}:{SECRET}@{given['host']}:{given['port']}/{given['dbname']}"
    command = [Path(sys.executable).parent / "pgqueue", "worker", "-A", SHOP, "-c", "2", "--dsn", uri]
    log = tmp_path / "log"
    env = {name: value for name, value in os.environ.items() if name != "PGQUEUE_DSN"}
    with log.open("wb") as stream:
        words = [*map(str, command), "--listen-dsn", uri, "--log-level", "debug"]
        worker = subprocess.Popen(words, cwd=ROOT, stdout=stream, stderr=stream, env=env)
    try:
        wait_until(lambda: "worker started" in log.read_text(), 30, log.read_text())
        yield log
    finally:
        worker.terminate()
        assert worker.wait(30) == 0


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads the list of processes from /proc")
def test_a_worker_and_its_children_show_no_password_that_was_typed(secretive: Path, connect: Connect) -> None:
    conn = connect(autocommit=True)
    made = queue_library.enqueue(conn, f"{SHOP}:send_receipt", [1]).id
    wait_until(lambda: job(conn, made).state == "succeeded", 30)
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().split(b"\0")
        except OSError:
            continue
        # But for this test's own process, whose words are pytest's.
        assert not any(SECRET.encode() in word for word in words), words
    assert SECRET not in secretive.read_text()
