"""The server that scratch databases lie on: one that is named, or an embedded one of nothing but tests.

The embedded one is shared by all runs of this user, stops with the last of them, and keeps its template for the next.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgqueue import embedded
from pgqueue.embedded.binaries import find_binaries
from pgqueue.testing.database import ScratchDatabase
from pgqueue.testing.databases import Databases, Prepare

VARIABLE = "PGQUEUE_TEST_DSN"
# Bytes that must be free in memory for a server to be kept there.
ENOUGH = 1024**3


@contextmanager
def scratch_database(dsn: str | None = None, *, prepare: Prepare | None = None) -> Iterator[ScratchDatabase]:
    """A migrated database of the block's own, dropped after it.

    On the server that `dsn` names, else PGQUEUE_TEST_DSN, else an embedded one, which is started if need be.
    `prepare` is given the DSN of a template once, as to create the application's tables.
    """
    databases = databases_at(dsn)
    template = databases.template(prepare)
    try:
        with databases.create(template) as database:
            yield database
    finally:
        if prepare is not None:
            databases.drop(template)


def databases_at(dsn: str | None = None) -> Databases:
    """The databases of this process on a server; they stay open until its end."""
    named = dsn or os.environ.get(VARIABLE) or ""
    if named not in _open:
        _open[named] = _opened(named)
    return _open[named]


def _opened(named: str) -> Databases:
    if named and not embedded.is_embedded(named):
        return Databases(named)
    server = embedded.open(named or f"embedded:{folder()}")
    _servers.append(server)
    return Databases(server.dsn, hurried=not named)


def folder() -> Path:
    """The folder of this user's server for tests: in memory where there is room."""
    base = Path("/dev/shm")
    if not base.is_dir() or shutil.disk_usage(base).free < ENOUGH:
        base = Path(tempfile.gettempdir())
    # What a crash of the machine left is not trusted: it did not wait for its disk. And each PostgreSQL reads its own.
    boot = Path("/proc/sys/kernel/random/boot_id")
    told = f"{boot.read_text() if boot.exists() else ''} {find_binaries()}"
    return base / f"pgqueue-test-{os.geteuid()}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


@atexit.register
def leave() -> None:
    """Leave the servers; what was not dropped is by the next run."""
    while _open:
        _open.popitem()[1].close()
    while _servers:
        _servers.pop().close()


_open: dict[str, Databases] = {}
_servers: list[embedded.Database] = []
