"""A durable PostgreSQL of the benchmark's own: fsync and synchronous_commit on, thrown away afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pgqueue.embedded import Server

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "maintenance_work_mem": "256MB",
    "max_connections": "200",
}


@contextmanager
def durable_server(settings: Mapping[str, str] = SETTINGS) -> Iterator[Server]:
    """A running server on a unix socket; its folder is removed in the end.

    It lies where temporary files lie: on a disk, unless TMPDIR says otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="pgqueue-bench-", dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = Server(folder / "server", settings=dict(settings))
        server.initdb()
        server.start()
        try:
            yield server
        finally:
            server.stop("fast")
