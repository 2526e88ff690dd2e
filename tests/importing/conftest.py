"""Another queue's table in the test's database, and the command that imports from it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Command, pgqueue, shell, start
from tests.conftest import Connect

__all__ = ["Command", "conn", "pgqueue", "shell", "start"]


@pytest.fixture
def conn(connect: Connect) -> psycopg.Connection[Any]:
    """In autocommit mode, and with a table for what has run."""
    conn = connect(autocommit=True)
    conn.execute("create table ran (order_id int, by text)")
    return conn
