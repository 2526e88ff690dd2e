"""`page_run`: a reader with a database called `shop`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from pgqueue import embedded
from pgqueue.embedded import Server
from tests.docs.forking import Forking
from tests.docs.runner import PageRun, reader_environment
from tests.postgres import TEMPLATE, Databases

NewReader = Callable[..., PageRun]
_numbers = itertools.count()


@pytest.fixture(scope="session")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    forking = Forking(tmp_path_factory.mktemp("forking"))
    yield forking
    forking.close()


@pytest.fixture
def new_reader(
    servers_folder: Path, server: Server, databases: Databases, tmp_path: Path, forking: Forking
) -> Iterator[NewReader]:
    """Make a reader: `new_reader(migrated=False)` for a page that begins with an empty database.

    Commands are forked, which takes a tenth of the time, unless they are to be `installed` ones.
    """
    # Below the servers' folder, because an embedded server must be able to reach its own.
    home = servers_folder / f"home-{next(_numbers)}"
    home.mkdir(mode=0o711)
    runs: list[PageRun] = []

    def new_reader(*, migrated: bool, installed: bool = False) -> PageRun:
        with _admin(server) as admin:
            admin.execute(f"create database shop template {TEMPLATE if migrated else 'template0'}")
        dsn = server.dsn("shop", tcp=True)
        runs.append(PageRun(tmp_path, reader_environment(dsn, home), dsn, None if installed else forking.folder))
        return runs[-1]

    yield new_reader
    embedded.stop(home / "pgqueue" / "postgres")
    with _admin(server) as admin:
        admin.execute("drop database if exists shop with (force)")


@contextmanager
def _admin(server: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        yield conn
