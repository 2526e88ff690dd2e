"""Keys in files, workers that require signatures, and what became of jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.signing.configured import _configured
from tests.conftest import Connect
from tests.signing import tasks
from tests.signing.keys import secret_line
from tests.worker.running import ThreadedWorker

Work = Callable[..., ThreadedWorker]


@pytest.fixture(autouse=True)
def nothing_ran() -> Iterator[None]:
    """Each test begins without what ran before, and leaves nothing configured."""
    tasks.ran.clear()
    tasks.heard.clear()
    yield
    _configured.signer, _configured.is_known = None, False


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with one key, `a`, with which this process signs."""
    path = tmp_path / "keys"
    path.touch(0o600)
    path.write_text(secret_line("a"))
    pgqueue.sign_with(f"file:{path}")
    return path


@pytest.fixture
def conn(connect: Connect) -> psycopg.Connection[Any]:
    """The test's own connection, in autocommit mode."""
    return connect(autocommit=True)


@pytest.fixture
def work(dsn: str) -> Work:
    """Let a worker that requires signatures do all that is due, and end."""

    def work(**options: Any) -> ThreadedWorker:
        given = {"app": [tasks.HERE], "executor": "thread", "burst": True, "require_signature": True, **options}
        worker = ThreadedWorker(dsn, **given)
        assert worker.join() == 0
        return worker

    return work


def end_of(conn: psycopg.Connection[Any], job_id: UUID) -> tuple[str, str | None, str | None]:
    """The state of a job, why it is dead, and its last error."""
    job = pgqueue.get_job(conn, job_id)
    return job.state.value, job.reason, job.last_error
