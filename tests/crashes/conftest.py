"""Workers as processes of their own, which the tests kill, stop and cut off; nothing of them outlives its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Connect
from tests.worker.running import Desk, StartProcess, WorkerProcess


@pytest.fixture
def desk(connect: Connect) -> Desk:
    """The test's own connection, and what it asks through it."""
    desk = Desk(connect(autocommit=True))
    desk.make_effects()
    return desk


@pytest.fixture
def spawn(dsn: str, tmp_path: Path) -> Iterator[StartProcess]:
    """Start a worker process and wait until it claims: `spawn(executor="thread", lease=2)`."""
    spawned: list[WorkerProcess] = []

    def spawn(dsn: str = dsn, **options: object) -> WorkerProcess:
        worker = WorkerProcess(dsn, tmp_path / f"worker-{len(spawned)}.log", **options)
        spawned.append(worker)
        return worker.await_start()

    yield spawn
    for worker in spawned:
        worker.close()
