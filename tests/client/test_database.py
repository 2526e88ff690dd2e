"""connect(), delay() and a worker find their database by its DSN; an embedded one, too."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

import pgqueue
from pgqueue import embedded
from pgqueue.database import leave
from pgqueue.migrate import migrate
from tests.factories import TARGET
from tests.test_package import run

_numbers = itertools.count()


@pytest.fixture(scope="module")
def folder(servers_folder: Path) -> Iterator[Path]:
    """An embedded database with the schema, which this process does not use."""
    folder = servers_folder / f"database-{next(_numbers)}"
    migrate(f"embedded:{folder}")
    yield folder
    leave()
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_connect_opens_what_a_dsn_or_the_variable_names(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pgqueue.connect(dsn) as conn:
        made = pgqueue.enqueue(conn, TARGET).id
    monkeypatch.setenv("PGQUEUE_DSN", dsn)
    with pgqueue.connect(autocommit=True) as conn:
        assert conn.autocommit
        assert pgqueue.get_job(conn, made).state == "ready"
    with pytest.raises(psycopg.OperationalError):
        conn.execute("select 1")


def test_connect_serves_an_engine(dsn: str) -> None:
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: pgqueue.connect(dsn))
    with engine.begin() as conn:
        assert pgqueue.enqueue(conn, TARGET).created
    engine.dispose()


def test_connect_without_a_database_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGQUEUE_DSN", raising=False)
    with pytest.raises(pgqueue.UsageError, match=r"give it a DSN such as .*PGQUEUE_DSN \(embedded:"):
        pgqueue.connect()


TASKS = """
import pgqueue

@pgqueue.task(store_result=True)
def double(number):
    return 2 * number
"""
PROGRAM = """
import pgqueue
from own_tasks import double

made = double.delay(21)
assert pgqueue.Worker({dsn!r}, app=["own_tasks"], executor={executor!r}, burst=True, observers=[]).run() == 0
with pgqueue.connect() as conn:
    print(pgqueue.result(conn, made, timeout=20))
assert double.delay(1).created
"""


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_delay_worker_and_connect_share_an_embedded_database(folder: Path, tmp_path: Path, executor: str) -> None:
    dsn = f"embedded:{folder}"
    (tmp_path / "own_tasks.py").write_text(TASKS)
    (tmp_path / "program.py").write_text(PROGRAM.format(dsn=dsn, executor=executor))
    said = run(sys.executable, "program.py", cwd=tmp_path, PGQUEUE_DSN=dsn)
    assert said.split() == ["42"]


def test_an_embedded_database_that_was_stopped_is_started_again(folder: Path) -> None:
    dsn = f"embedded:{folder}"
    with pgqueue.connect(dsn) as conn:
        conn.execute("select 1")
    embedded.stop(folder)
    with pgqueue.connect(dsn) as conn:
        assert pgqueue.enqueue(conn, TARGET).created
