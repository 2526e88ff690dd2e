"""A durable PostgreSQL of the benchmark's own: fsync and synchronous_commit on, thrown away afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgqueue.embedded import Server
from pgqueue.migrate import migrate

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "max_connections": "50",
}


@contextmanager
def durable_server() -> Iterator[Server]:
    """A running, migrated server; its folder is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="pgqueue-bench-") as folder:
        Path(folder).chmod(0o711)
        server = Server(Path(folder) / "server", settings=SETTINGS)
        server.initdb()
        server.start()
        try:
            migrate(server.dsn())
            yield server
        finally:
            server.stop("fast")
