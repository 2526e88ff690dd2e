"""A `pgqueue` that begins at once: forked from a process that has imported most of it and opened nothing.

Run as `python -m tests.docs.forking SOCKET`. The `pgqueue` of a reader's PATH hands it the words, the folder, the
environment and the open files of a command, and ends with the exit code that it answers.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from pgqueue.cli.app import run
from tests.postgres import ROOT
from tests.waiting import wait_until

# What pages ask for most; another command imports its own.
USUAL = ("dead", "enqueue", "jobs", "limits", "queues", "schedules", "status", "worker")

# Python without its site: it imports nothing that the command would.
CLIENT = """\
#!{python} -IS
import json, os, socket, sys

server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b"\\0"], [0, 1, 2])
server.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n")
sys.exit(int(server.makefile().read()))
"""


class Forking:
    """The process, and the folder that stands first on the PATH of those who are to use it."""

    def __init__(self, folder: Path) -> None:
        address = folder / "socket"
        client = folder / "pgqueue"
        client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
        client.chmod(0o755)
        self.folder = folder
        command = [sys.executable, "-m", "tests.docs.forking", str(address)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, cwd=ROOT)
        wait_until(address.exists, 60, "the process that forks commands")

    def close(self) -> None:
        """End it, with every command that still runs."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def main(address: str) -> NoReturn:
    for name in USUAL:
        import_module(f"pgqueue.cli.{name}")
    # What is shared with the commands stays so: nothing writes into it.
    gc.collect()
    gc.freeze()
    # Nobody waits for those who serve: the system buries them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen()
        os.rename(f"{address}.new", address)
        while True:
            asked, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _serve(asked)
            asked.close()


def _serve(asked: socket.socket) -> NoReturn:
    """Have one command run, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(asked, 1, 3)
    words, folder, environment = json.loads(asked.makefile().readline())
    pid = os.fork()
    if pid == 0:
        asked.close()
        _be_command(words, folder, environment, files)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    # As a shell counts those that a signal ended.
    asked.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _be_command(words: list[str], folder: str, environment: dict[str, str], files: list[int]) -> NoReturn:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # Anew: those that are there know of their files whether one can seek in them.
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    sys.argv = ["pgqueue", *words]
    # Where the installed command lies, in place of this repository.
    sys.path[0] = str(Path(sys.executable).parent)
    run()


if __name__ == "__main__":
    main(sys.argv[1])
