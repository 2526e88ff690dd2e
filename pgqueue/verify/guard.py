"""The guard: a process that ends workers and server, and removes their folder, if the verifier is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

# The folder of the server.
SERVER = "postgres"


class Guard:
    """Guards `folder`, the server in it, and the workers that it is told of, during the block."""

    def __init__(self, folder: Path, *, keep: bool) -> None:
        words = [str(folder), *(["keep"] if keep else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pgqueue.verify.guard_process", *words],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths())},
        )

    def watch(self, pid: int) -> None:
        """This process has begun."""
        self._say(f"+{pid}")

    def forget(self, pid: int) -> None:
        """It has ended."""
        self._say(f"-{pid}")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        # Without a guard there is only less care for the worst case.
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say(".")
        with suppress(BrokenPipeError):
            self._process.communicate()


def paths() -> list[str]:
    """Where the processes that the verifier starts find this very pgqueue."""
    return [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
