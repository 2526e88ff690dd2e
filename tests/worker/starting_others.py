"""What a job starts, and what that finds of where it comes from."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from typing import Any

from pgqueue.context import current_job
from pgqueue.tasks import task

_LOOK = """
import json, os, signal
numbers = [n for n in signal.valid_signals() if n not in (signal.SIGKILL, signal.SIGSTOP)]
print(json.dumps({
    "ignored": sorted(n for n in numbers if signal.getsignal(n) is signal.SIG_IGN),
    "handled": sorted(n for n in numbers if callable(signal.getsignal(n))),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "files": sorted(int(n) for n in os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else [],
    "dsn": os.environ.get("PGQUEUE_DSN"),
    "systemd": os.environ.get("NOTIFY_SOCKET"),
}))
"""


def look_from_a_program() -> Any:
    """What a program that the job starts finds."""
    return json.loads(subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, check=True, text=True).stdout)


def look_from_a_copy() -> Any:
    """What a forked copy finds: its handlers, and which of its files are sockets."""
    reader, writer = os.pipe()
    copy = os.fork()
    if copy == 0:
        try:
            os.write(writer, json.dumps({"handled": _handled(), "sockets": _sockets()}).encode())
        finally:
            os._exit(0)
    os.waitpid(copy, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        return json.loads(said.read())


def terminate(method: str) -> Any:
    """Start a process by multiprocessing, and end it as one does."""
    process = multiprocessing.get_context(method).Process(target=time.sleep, args=(60,))
    process.start()
    time.sleep(0.2)
    process.terminate()
    process.join(20)
    code = process.exitcode
    process.kill()
    process.join()
    return code


def interrupt(method: str) -> Any:
    """As terminate(), by ^C."""
    process = multiprocessing.get_context(method).Process(target=_exit_code_of_interrupt)
    process.start()
    time.sleep(0.5)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join(20)
    code = process.exitcode
    process.kill()
    process.join()
    return code


def _exit_code_of_interrupt() -> None:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        os._exit(42)


def outlive(path: str) -> None:
    """Leave a copy that lives on, whatever becomes of the worker; it says its number."""
    if os.fork() == 0:
        os.setsid()
        with open(path, "w") as file:
            file.write(str(os.getpid()))
        time.sleep(60)
        os._exit(0)


@task
def follow() -> None:
    pass


@task
def delay_another() -> None:
    assert current_job() is not None
    follow.delay()


def _handled() -> list[int]:
    numbers = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    return sorted(n for n in numbers if callable(signal.getsignal(n)))


def _sockets() -> list[str]:
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return [found for link in links if os.path.exists(link) and (found := os.readlink(link)).startswith("socket:")]
