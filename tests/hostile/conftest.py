"""Workers that hostile jobs meet, one for all tests of a module and kind of executor."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.hostile.arena import APPS, Arena
from tests.postgres import Databases
from tests.worker.conftest import desk, spawn
from tests.worker.running import KINDS, Desk, ThreadedWorker

__all__ = ["desk", "spawn"]


def _arena(databases: Databases, kind: str, concurrency: int) -> Iterator[Arena]:
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        desk.make_effects()
        middleware = ["tests.hostile.nasty.sessions:bad_middleware"]
        worker = ThreadedWorker(dsn, executor=kind, app=APPS, concurrency=concurrency, middleware=middleware)
        yield Arena(desk, worker, dsn, kind)
        assert worker.stop() == 0
        assert desk.workers() == []
    databases.drop(name)


@pytest.fixture(scope="module", params=KINDS)
def arena(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Arena]:
    """Two slots, under each kind of executor: what is promised of all of them."""
    yield from _arena(databases, request.param, 2)


@pytest.fixture(scope="module")
def children(databases: Databases) -> Iterator[Arena]:
    """Two child processes: what is promised of the process executor alone."""
    yield from _arena(databases, "process", 2)


@pytest.fixture(scope="module")
def one_child(databases: Databases) -> Iterator[Arena]:
    """One child process, so that the next job runs where the last one ran."""
    yield from _arena(databases, "process", 1)
