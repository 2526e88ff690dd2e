"""Databases before and after a migration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.embedded import Server
from tests.conftest import Connect
from tests.store.test_migrate import created


@pytest.fixture
def bare_dsn(server: Server, database: str) -> Iterator[str]:
    """A database without the schema."""
    with created(server, f"{database}_bare") as dsn:
        yield dsn


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    """A connection in autocommit mode."""
    return connect(autocommit=True)
