"""The PostgreSQL servers that the tests run on, and their end whatever happens to the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from pgqueue.embedded import Server
from pgqueue.errors import EmbeddedError
from tests.sweeper import sweep

VARIABLE = "PGQUEUE_TEST_POSTGRES"
HOST = "127.0.0.1"
TEMPLATE = "pgqueue_template"
ROOT = Path(__file__).parent.parent
# Two test processes with a million rows each, and their write-ahead logs.
ENOUGH_MEMORY = 6 * 1024**3

# A test's server may lose its data, so it need not wait for the disk.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_init_zero": "off",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    # An eighth of all its work was to compile plans that ran once.
    "jit": "off",
    "max_connections": "200",
    "max_prepared_transactions": "20",
}
# As a user's own: it is what restarts and kills are tested on.
DURABLE = {"shared_buffers": "16MB", "max_connections": "60"}


@contextmanager
def swept_folder() -> Iterator[Path]:
    """A temporary folder that is removed, and whose servers are ended, even if this process is killed."""
    folder = Path(tempfile.mkdtemp(prefix="pgqueue-tests-", dir=in_memory()))
    # So that a server that runs as another user can reach its own folder.
    folder.chmod(0o711)
    command = [sys.executable, "-m", "tests.sweeper", str(os.getpid()), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, cwd=ROOT) as sweeper:
        try:
            yield folder
        finally:
            sweep(folder)
            sweeper.send_signal(signal.SIGKILL)


def in_memory() -> Path | None:
    """The folder that lies in memory, if it is large enough: there a database is created ten times as fast."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shutil.disk_usage(shared).free < ENOUGH_MEMORY:
        return None
    return shared


def started_server(folder: Path, settings: Mapping[str, str]) -> Server:
    """Start a server below `folder` on a free port of 127.0.0.1 and on a unix socket."""
    server = initialised_server(folder, settings)
    for remaining in range(4, -1, -1):
        server.port = free_port()
        try:
            server.start()
        except EmbeddedError as error:
            # Somebody else may take the port between our looking and PostgreSQL's.
            if "could not create any TCP/IP sockets" not in str(error) or not remaining:
                raise
        else:
            break
    return server


def initialised_server(folder: Path, settings: Mapping[str, str]) -> Server:
    """A server that can be started; its cluster is made, unless it is there."""
    named = os.environ.get(VARIABLE)
    server = Server(folder, bin_dir=Path(named) if named else None, host=HOST, settings=settings)
    # Small segments: a new cluster writes its first one full.
    server.initdb(sync=False, wal_segment_mb=1)
    return server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Databases:
    """Makes a fresh database for each test by copying a template that is filled once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._admin = psycopg.connect(server.dsn(), autocommit=True)
        # Copied as files: half the work of block by block through the buffers. Before 15 there was no other way.
        self._by_file = sql.SQL(" strategy file_copy" if self._admin.info.server_version >= 150_000 else "")
        self._made = 0

    def create_template(self) -> str:
        """Create the template, empty, and return its DSN; whoever fills it must disconnect."""
        self._admin.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
        return self.server.dsn(TEMPLATE, tcp=True)

    def create(self, template: str = TEMPLATE) -> str:
        """Create a database, as a copy of one that nobody is connected to, and return its name."""
        self._made += 1
        name = f"test_{self._made}"
        words = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        self._admin.execute(words + self._by_file)
        return name

    def drop(self, name: str) -> None:
        self._admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def close(self) -> None:
        self._admin.close()
