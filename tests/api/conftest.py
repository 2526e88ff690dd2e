"""One database for each module, and a dashboard of it whose API knows a token of each kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import Dashboard
from pgqueue.embedded import Server
from tests.api.addresses import act
from tests.api.asking import make
from tests.dashboard.filled import Filled, fill
from tests.postgres import Databases


@pytest.fixture(scope="module")
def dsn(server: Server, databases: Databases) -> Iterator[str]:
    name = databases.create()
    yield server.dsn(name, tcp=True)
    databases.drop(name)


@pytest.fixture(scope="module")
def conn(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit mode: a job is due for those alone whose transaction began later."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


@pytest.fixture(scope="module")
def app(dsn: str) -> Iterator[Dashboard]:
    made = make(dsn)
    yield made
    asyncio.run(made.aclose())


@pytest.fixture(scope="module")
def filled(conn: psycopg.Connection[Any]) -> Filled:
    """Something of everything."""
    found = fill(conn)
    act(conn, found)
    return found
