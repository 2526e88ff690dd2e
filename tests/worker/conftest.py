"""Workers that run while a test looks on; each is ended after it, with everything it started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import Connect
from tests.worker.benches import Bench, Make
from tests.worker.running import Desk, StartProcess, StartThreaded, ThreadedWorker, hiring


@pytest.fixture
def desk(connect: Connect) -> Desk:
    """The test's own connection, and what it asks through it."""
    desk = Desk(connect(autocommit=True))
    desk.make_effects()
    return desk


@pytest.fixture
def start(dsn: str) -> Iterator[StartThreaded]:
    """Start a worker in a thread of this process: `start(executor="thread")`. Stopped after the test."""
    started: list[ThreadedWorker] = []

    def start(**options: object) -> ThreadedWorker:
        started.append(ThreadedWorker(dsn, **options))
        return started[-1]

    yield start
    for worker in started:
        worker.stop()


@pytest.fixture
def spawn(dsn: str, tmp_path: Path) -> Iterator[StartProcess]:
    """Start a worker process and wait until it claims: `spawn(executor="thread", lease=2)`. Killed after the test."""
    with hiring(tmp_path) as hire:
        yield lambda given=dsn, **options: hire(given, **options)


@pytest.fixture
def make() -> Iterator[Make]:
    """Start an executor without a worker: `make("process", concurrency=2)`; ended after the test."""
    made: list[Bench] = []

    def make(kind: str, concurrency: int | None = None, **settings: object) -> Bench:
        # A child takes a fifth of a second to start.
        made.append(Bench(kind, concurrency or (1 if kind == "process" else 2), **settings))
        made[-1].executor.start()
        return made[-1]

    yield make
    for bench in made:
        bench.executor.stop(0)


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    """For steps of a worker by hand."""
    return connect(autocommit=True)
