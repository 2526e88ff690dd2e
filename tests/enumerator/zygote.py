"""Worker processes that begin at once: forked from a process that has imported all and opened nothing.

Run as `python -m tests.enumerator.zygote`: each line that it reads is {"log": ..., "options": ...}; it answers the
process id of the worker that it has forked. Its workers end with it, even if stopped. A log ends with the exit code.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from pgqueue.worker import Worker
from pgqueue.worker.log import LogObserver
from tests.enumerator import tasks
from tests.postgres import ROOT

PR_SET_PDEATHSIG = 1

__all__ = ["ForkedWorker", "Zygote", "tasks"]


class ForkedWorker:
    """A worker process, and its log."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._log = log

    @property
    def running(self) -> bool:
        return _is_alive(self.pid)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log, without what is no JSON and a last line that is half written."""
        text = self._log.read_text() if self._log.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1] if line.startswith("{")]

    @property
    def started(self) -> bool:
        """Whether it came so far as to claim."""
        return any(line["event"] == "worker started" for line in self.lines)

    @property
    def code(self) -> int | None:
        """Its exit code; None if it runs, or was killed."""
        return next((line["code"] for line in self.lines if line["event"] == "exit"), None)

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.running:
            os.kill(self.pid, number)


class Zygote:
    """Forks workers on request; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # one question and its answer at a time
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.enumerator.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def fork(self, log: Path, options: dict[str, Any]) -> ForkedWorker:
        """Start a worker; `options` are those of Worker."""
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps({"log": str(log), "options": options}) + "\n")
            self._process.stdin.flush()
            return ForkedWorker(int(self._process.stdout.readline()), log)

    def close(self) -> None:
        """End it; workers must have been ended before."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()


def main() -> None:
    # Nobody waits for a worker: the system buries it.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _be_worker(asked["log"], asked["options"])
        print(pid, flush=True)


def _be_worker(log: str, options: dict[str, Any]) -> None:
    code: int | None = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        # Whoever asks it to stop in the moment after it has stopped is not to end it without its exit code.
        signal.signal(signal.SIGTERM, lambda *_: None)
        _end_with_parent()
        stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, standard in ((nothing, 0), (stream, 1), (stream, 2)):
            os.dup2(descriptor, standard)
        code = Worker(**options, observers=[LogObserver("json")]).run()
    except BaseException:
        traceback.print_exc()
    finally:
        os.write(2, json.dumps({"event": "exit", "code": code}).encode() + b"\n")
        os._exit(code or 0)


def _end_with_parent() -> None:
    """Whoever is stopped cannot look after itself: the system ends it, where it is Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
