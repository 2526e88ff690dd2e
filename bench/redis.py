"""A Redis of the benchmark's own, with the persistence that its makers ship, thrown away afterwards."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgqueue.errors import PgqueueError

LIMIT = 20.0


@contextmanager
def redis_server() -> Iterator[str]:
    """A running server; answers its URL. Raises PgqueueError where there is none to run."""
    command = shutil.which("redis-server")
    if command is None:
        raise PgqueueError("redis-server is not on PATH; install it (Debian: apt install redis-server)")
    with tempfile.TemporaryDirectory(prefix="pgqueue-bench-") as folder:
        socket = Path(folder) / "redis.sock"
        words = [command, "--port", "0", "--unixsocket", str(socket), "--dir", folder, "--loglevel", "warning"]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            deadline = time.monotonic() + LIMIT
            while not socket.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise PgqueueError("redis-server did not start")
                time.sleep(0.02)
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait()
