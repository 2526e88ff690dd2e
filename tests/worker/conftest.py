"""Workers that run while a test looks on; each is ended after it, with everything it started."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Connect
from tests.worker.running import Desk, StartThreaded, ThreadedWorker


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
