"""The table of the workflows here; a transaction of the test's, and workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.worker.conftest import db, desk, spawn, start

__all__ = ["db", "desk", "spawn", "start"]

Conn = psycopg.Connection[Any]
Done = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _done(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as own:
        own.execute("create table done (text text, at timestamptz default clock_timestamp())")


@pytest.fixture
def log(tmp_path: Path) -> str:
    return str(tmp_path / "log")


def lines(log: str) -> list[str]:
    path = Path(log)
    return path.read_text().splitlines() if path.exists() else []


def done(conn: Conn) -> list[str]:
    return [row[0] for row in conn.execute("select text from done order by at")]
