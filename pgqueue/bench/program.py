"""A process that measures something and speaks JSON lines: requests on its standard input, answers on its output."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pgqueue.errors import PgqueueError

Answer = dict[str, Any]
# How long a program may take to end once nobody asks it any more.
PATIENCE = 15.0


class ProgramFailed(PgqueueError):
    """A measuring process ended, took too long, or answered that it cannot."""


class Program:
    """One such process, in a process group of its own, so that what it started ends with it."""

    def __init__(self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> None:
        self.name = Path(command[-1]).name
        self._heard = b""
        # What it says besides: its last line tells why it ended.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115, kill() closes it
        self._killed = False
        self._process = subprocess.Popen(
            [*map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,
            env=None if env is None else {**os.environ, **env},
        )

    def ask(self, limit: float = 60.0, **request: Any) -> Answer:
        """Send a request and wait for its answer, at most `limit` seconds. Raises ProgramFailed."""
        self.tell(**request)
        return self.answer(limit)

    def tell(self, **request: Any) -> None:
        """Send a request; answer() has what becomes of it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ProgramFailed(f"{self._end()} before it was asked{self._last_words()}") from None

    def answer(self, limit: float) -> Answer:
        """The next answer, within `limit` seconds. Raises ProgramFailed."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + limit
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.kill()
                    raise ProgramFailed(f"{self.name} did not answer within {limit:.0f} s")
                more = os.read(self._process.stdout.fileno(), 1 << 20)
                if not more:
                    raise ProgramFailed(f"{self._end()} and no answer{self._last_words()}")
                self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        try:
            said: Answer = json.loads(line)
        except ValueError:
            raise ProgramFailed(f"{self.name} answered no JSON: {line[:200]!r}") from None
        if "error" in said:
            raise ProgramFailed(f"{self.name}: {said['error']}")
        return said

    def _end(self) -> str:
        return f"{self.name} ended with code {self._process.wait()}"

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1][:300]}" if lines else ""

    def close(self) -> None:
        """Let it end by itself, and kill whatever is left of it."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._killed:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        self.kill()

    def kill(self) -> None:
        """End it and its process group at once; a second time does nothing, for its number may be another's by then."""
        if self._killed:
            return
        self._killed = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._said.close()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()


@contextmanager
def program(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """A running program, closed in the end."""
    running = Program(command, env=env)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def clients(number: int) -> Iterator[list[Program]]:
    """So many clients of our own, each in a process of its own."""
    running: list[Program] = []
    try:
        for _ in range(number):
            running.append(Program([sys.executable, "-m", "pgqueue.bench.client"]))
        yield running
    finally:
        for each in running:
            each.close()


def ask_client(limit: float = 600.0, **request: Any) -> Answer:
    """Have one fresh client do one thing. Raises ProgramFailed."""
    with clients(1) as (client,):
        return client.ask(limit, **request)
