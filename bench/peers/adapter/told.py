"""The named pipe through which tasks tell their adapter that they began.

A write to a pipe is one system call, shorter than PIPE_BUF and so never torn, and works from threads, from forked
children and from Node. The time told is CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import os
import select
import tempfile
import time
from pathlib import Path

PIPE = "BENCH_PIPE"


def tell(number: int) -> None:
    """Tell the adapter that the job `number` began at this moment."""
    global _pipe
    began = time.monotonic_ns()
    if _pipe is None:
        _pipe = os.open(os.environ[PIPE], os.O_WRONLY)
    os.write(_pipe, f"{number} {began}\n".encode())


_pipe: int | None = None


class Listener:
    """The adapter's end of the pipe, whose name stands in the environment of the workers it starts."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pgqueue-bench-")
        path = Path(self._folder.name) / "told"
        os.mkfifo(path)
        os.environ[PIPE] = str(path)
        # Opened for writing, too: the pipe then never ends, whoever comes and goes.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._heard = b""

    def next(self, limit: float) -> tuple[int, int]:
        """The next job that began, as its number and its time in nanoseconds."""
        until = time.monotonic() + limit
        while b"\n" not in self._heard:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._pipe], [], [], left)[0]:
                raise TimeoutError(f"no job began within {limit:g} s: look at what the worker wrote to standard error")
            self._heard += os.read(self._pipe, 65536)
        line, self._heard = self._heard.split(b"\n", 1)
        number, began = line.split()
        return int(number), int(began)

    def close(self) -> None:
        """Remove the pipe."""
        os.close(self._pipe)
        self._folder.cleanup()
