"""The workers of the demo: real processes, `pgqueue worker`, as an operator starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from pgqueue.demo import example
from pgqueue.errors import PgqueueError

# Short, so that the recovery of a killed worker's jobs is seen within the demo; the default is 30 s.
LEASE = "3s"
POLL = "1s"
STOP_TIMEOUT = 10.0
# More children than this only make the demo's start longer.
MOST_CHILDREN = 4

Process = subprocess.Popen[bytes]


class Workers:
    """`count` workers from the start of the block to its end, when none of their processes is left."""

    def __init__(self, dsn: str, count: int, log: Path) -> None:
        self.children_each = min(MOST_CHILDREN, max(1, (os.cpu_count() or 1) // count))
        self.running: list[Process] = []
        self._dsn = dsn
        self._count = count
        self._log = log

    def start(self) -> Process:
        """Start one more."""
        words = ["-A", example.APP, "-Q", example.QUEUE, "-c", str(self.children_each), "--lease", LEASE]
        paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pgqueue", "worker", *words, "--poll", POLL],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=example.home(),
                env={**os.environ, "PGQUEUE_DSN": self._dsn, "PYTHONPATH": os.pathsep.join(paths)},
            )
        self.running.append(process)
        return process

    def kill(self, process: Process) -> None:
        """SIGKILL it, without a word before; its children die with it."""
        self.running.remove(process)
        process.kill()
        process.wait()

    def check(self) -> None:
        """Raise PgqueueError if one has ended by itself."""
        for process in self.running:
            if process.poll() is not None:
                lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
                raise PgqueueError("\n".join([f"a worker ended by itself, exit code {process.returncode}:", *lines]))

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        try:
            for process in self.running:
                process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + STOP_TIMEOUT
            while any(process.poll() is None for process in self.running) and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            for process in tuple(self.running):
                self.kill(process)
