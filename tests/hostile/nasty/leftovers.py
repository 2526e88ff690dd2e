"""Jobs that change what the next job of the same process finds, and a probe that looks."""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from pgqueue import current_job
from pgqueue.context import JobContext
from pgqueue.errors import UsageError
from pgqueue.retry import Fixed
from pgqueue.tasks import task


def look() -> dict[str, Any]:
    """What a job finds of its process."""
    umask = os.umask(0o022)
    os.umask(umask)
    return {
        "folder": os.getcwd(),
        "environ": sorted(f"{name}={value}" for name, value in os.environ.items()),
        "umask": umask,
        "locale": locale.setlocale(locale.LC_ALL),
        "handlers": [str(signal.getsignal(each)) for each in (signal.SIGTERM, signal.SIGALRM, signal.SIGURG)],
        "alarm": signal.alarm(0),
        "recursion limit": sys.getrecursionlimit(),
        "socket timeout": socket.getdefaulttimeout(),
        "collects": gc.isenabled(),
        "logs": logging.root.manager.disable,
        "hooks": [sys.excepthook.__name__, threading.excepthook.__name__],
        "output": sys.stdout.fileno(),
        "digits": decimal.getcontext().prec,
    }


def soil() -> int:
    """Change all of that; answers the process."""
    os.chdir("/")
    os.environ["PGQUEUE_DIRT"] = "here"
    del os.environ["PATH"]
    os.umask(0o777)
    locale.setlocale(locale.LC_ALL, "C" if locale.setlocale(locale.LC_NUMERIC) != "C" else "C.UTF-8")
    for number in (signal.SIGTERM, signal.SIGURG, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(11))
    signal.alarm(1)
    sys.setrecursionlimit(200)
    socket.setdefaulttimeout(0.001)
    gc.disable()
    logging.disable(logging.CRITICAL)
    sys.excepthook = threading.excepthook = lambda *_: None
    sys.stdout = None  # type: ignore[assignment]
    decimal.getcontext().prec = 2
    return os.getpid()


def close_its_output() -> int:
    """What nobody can put back."""
    sys.stdout.close()
    return os.getpid()


def speak() -> int:
    print("heard")
    return os.getpid()


def remove_its_folder(path: str) -> None:
    """Leave the process in a folder that is gone."""
    Path(path).mkdir()
    os.chdir(path)
    Path(path).rmdir()


def replace_itself() -> str:
    """Take its own function, and its module, out of the interpreter."""
    globals()["replace_itself"] = None
    return str(sys.modules.pop(__name__, None))


@task(retry=Fixed(0.05))
def change_its_arguments(values: list[int]) -> list[object]:
    """Change in place what it was called with, then fail until the third attempt; answers what it was given."""
    job = current_job()
    given = [len(values), job.labels["color"]]
    values.clear()
    job.args.clear()
    job.labels["color"] = "changed"  # type: ignore[index]
    if job.attempt < 3:
        raise ValueError("again")
    return given


kept: list[JobContext] = []


def keep_its_context() -> None:
    kept.append(current_job())


def ask_in_a_thread() -> str:
    """Ask for the current job where there is none."""
    found: list[str] = []

    def ask() -> None:
        try:
            found.append(repr(current_job()))
        except UsageError as error:
            found.append(type(error).__name__)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return found[0]


def talk(megabytes: int) -> None:
    """Say more than anybody reads."""
    for _ in range(megabytes):
        os.write(1, b"x" * (1 << 20))
