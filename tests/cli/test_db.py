"""`pgqueue db` and `--dsn embedded:`: a database that is there as soon as a command wants it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgqueue import embedded
from tests.cli.conftest import Command


@pytest.fixture
def folder(servers_folder: Path, database: str) -> Iterator[Path]:
    """Where an embedded database will be."""
    folder = servers_folder / f"cli-{database}"
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_database_is_started_told_and_stopped(pgqueue: Command, folder: Path) -> None:
    dsn = f"embedded:{folder}"
    assert "is stopped" in pgqueue("db", "status", "--dsn", dsn).out
    assert pgqueue("db", "url", "--dsn", dsn).code == 3

    assert pgqueue("db", "start", "--dsn", dsn).code == 0
    assert "until `pgqueue db stop`" in pgqueue("db", "--dsn", dsn, "status").out
    status = pgqueue("db", "status", "--json", "--dsn", dsn).json
    assert (status["folder"], status["kept"]) == (str(folder), True)
    with psycopg.connect(pgqueue("db", "url", "--dsn", dsn).out.strip()) as conn:
        assert conn.execute("select 1").fetchall() == [(1,)]

    assert pgqueue("migrate", "--dsn", dsn).code == 0
    assert pgqueue("enqueue", "a:b", "--dsn", dsn).code == 0
    assert pgqueue("jobs", "list", "--json", "--dsn", dsn).json[0]["target"] == "a:b"

    assert pgqueue("db", "stop", "--dsn", dsn).code == 0
    assert pgqueue("db", "status", "--json", "--dsn", dsn).json["pid"] is None


def test_an_embedded_database_that_cannot_be(pgqueue: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = pgqueue("status", "--dsn", f"embedded:{tmp_path}/file/below")
    assert ran.code == 3
    assert f"cannot keep a database in {tmp_path}/file/below" in ran.err
