"""A real PostgreSQL for every test: one server a session, one database a test.

`server` (session), `database` (a fresh, migrated one), `dsn`, `conn`, `connect` (more connections), and
`private_server` (one that the test alone uses, and may restart or kill).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.migrate import migrate
from pgqueue.partitioning import partition_history
from tests.postgres import DURABLE, FAST, Databases, initialised_server, started_server, swept_folder

# Set, it has every test work on history with partitions.
PARTITIONED = "PGQUEUE_TEST_PARTITIONED"

Connect = Callable[..., psycopg.Connection[Any]]


def pytest_configure() -> None:
    """Let processes of the tests hear ^C, also where a shell has started the tests in the background."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """The folder below which all servers of this session live."""
    with swept_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server(servers_folder: Path) -> Iterator[Server]:
    """The server of this session; its data is not durable. A test must not stop it."""
    server = started_server(servers_folder / "session", FAST)
    try:
        yield server
    finally:
        server.stop("immediate")


@pytest.fixture(scope="session")
def databases(server: Server) -> Iterator[Databases]:
    databases = Databases(server)
    template = databases.create_template()
    migrate(template)
    if os.environ.get(PARTITIONED):
        partition_history(template)
    yield databases
    databases.close()


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The name of a fresh database with pgqueue's schema, dropped after the test."""
    name = databases.create()
    yield name
    databases.drop(name)


@pytest.fixture
def dsn(server: Server, database: str) -> str:
    """How to reach the test's database by TCP."""
    return server.dsn(database, tcp=True)


@pytest.fixture
def dsns(databases: Databases, server: Server) -> Iterator[list[str]]:
    """Two databases with the schema."""
    names = [databases.create(), databases.create()]
    yield [server.dsn(name, tcp=True) for name in names]
    for name in names:
        databases.drop(name)


@pytest.fixture
def connect(dsn: str) -> Iterator[Connect]:
    """Open a connection to the test's database: `connect(autocommit=True)`. Closed after the test."""
    opened: list[psycopg.Connection[Any]] = []

    def connect(conninfo: str = dsn, **options: Any) -> psycopg.Connection[Any]:
        opened.append(psycopg.connect(conninfo, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def conn(connect: Connect) -> psycopg.Connection[Any]:
    """A connection to the test's database, not in autocommit mode."""
    return connect()


@pytest.fixture(scope="session")
def unstarted(servers_folder: Path) -> Path:
    """The folder of a server that is never started, to be copied: quicker than initdb."""
    return initialised_server(servers_folder / "unstarted", DURABLE).folder


@pytest.fixture
def private_server(servers_folder: Path, unstarted: Path) -> Iterator[Server]:
    """A durable server that only this test uses, and may restart or kill. Its databases have no schema."""
    folder = servers_folder / f"private-{len(list(servers_folder.iterdir()))}"
    # With its owner: PostgreSQL runs as another user than root.
    subprocess.run(["cp", "-a", unstarted, folder], check=True)
    server = started_server(folder, DURABLE)
    try:
        yield server
    finally:
        server.stop("immediate")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many crash points were enumerated, and what came of them."""
    reports = [report for key in ("passed", "failed") for report in terminalreporter.stats.get(key, [])]
    lines = [value for report in reports for name, value in report.user_properties if name == "enumerated"]
    for line in lines:
        terminalreporter.write_line(f"enumerated {line}")
