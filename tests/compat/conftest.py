"""One database and one worker for all documentation examples: a real process that runs them as any other tasks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgqueue import hooks
from pgqueue.embedded import Server
from tests.postgres import ROOT, Databases
from tests.waiting import wait_until

APPS = ("tests.compat.first_steps", "tests.compat.proj.celery", "tests.compat.rq_functions")


@pytest.fixture(autouse=True)
def hooks_go() -> Iterator[None]:
    """What an app of a test registers is nothing to the tests behind it."""
    before = {name: list(found) for name, found in hooks._registered.items()}
    yield
    hooks._registered.update(before)


@pytest.fixture(scope="package")
def shop(server: Server, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a database at which a worker with all apps works; PGQUEUE_DSN names it."""
    name = databases.create()
    dsn, folder = server.dsn(name, tcp=True), tmp_path_factory.mktemp("compat")
    environment = {"PGQUEUE_DSN": dsn, "COMPAT_FOLDER": str(folder)}
    before = dict(os.environ)
    os.environ.update(environment)
    log = folder / "worker.log"
    command = [sys.executable, "-m", "pgqueue", "worker", "-c", "2", *(word for app in APPS for word in ("-A", app))]
    with log.open("wb") as stream:
        worker = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream)
    try:
        wait_until(lambda: "worker started" in log.read_text() or worker.poll() is not None, 30, "the worker's start")
        assert worker.poll() is None, log.read_text()
        yield dsn
    finally:
        worker.terminate()
        code = worker.wait(30)
        os.environ.clear()
        os.environ.update(before)
        databases.drop(name)
    assert code == 0, log.read_text()


@pytest.fixture
def shop_conn(shop: str) -> Iterator[psycopg.Connection]:
    """A connection to that database."""
    with psycopg.connect(shop) as conn:
        yield conn


@pytest.fixture
def folder(shop: str) -> Path:
    """Where its tasks write files."""
    return Path(os.environ["COMPAT_FOLDER"])
