"""Ends the servers of a test run that died, and removes their folder.

Run as a process of its own, `python -m tests.sweeper PARENT_PID FOLDER`. It does nothing while its parent lives.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from pgqueue.embedded import pidfile


def main(parent: int, folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # A parent that dies hands its children over to another process; no pid is ever reused for that.
    while os.getppid() == parent:
        time.sleep(0.2)
    sweep(folder)


def sweep(folder: Path) -> None:
    """End every server below `folder` at once, then remove the folder."""
    deadline = time.monotonic() + 20
    while (running := postmasters(folder)) and time.monotonic() < deadline:
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


def postmasters(folder: Path) -> list[int]:
    found = [pidfile.postmaster_of(file.parent) for file in folder.glob("**/postmaster.pid")]
    return [pid for pid in found if pid is not None]


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
