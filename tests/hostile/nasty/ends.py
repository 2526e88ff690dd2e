"""Jobs that end, double or maim the process that runs them."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import psycopg

from pgqueue.tasks import task


def exit_politely() -> NoReturn:
    sys.exit(3)


def exit_hard() -> NoReturn:
    os._exit(3)


def exit_as_if_all_were_well() -> NoReturn:
    os._exit(0)


def segfault() -> None:
    ctypes.string_at(0)


def abort() -> NoReturn:
    os.abort()


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_its_group() -> None:
    os.killpg(os.getpgid(0), signal.SIGTERM)
    time.sleep(60)


def hold_the_gil(how: str) -> None:
    """Stay in C for ever, without giving another thread of the process a turn."""
    if how == "regex":
        re.fullmatch(r"(a|a)*b", "a" * 200)
    elif how == "sum":
        sum(range(10**15))
    else:
        pow(7, 10**12)


def fork_and_return(path: str) -> int:
    """Return twice, and note each time in the file `path`."""
    child = os.fork()
    if child == 0:
        time.sleep(0.05)
    with Path(path).open("a") as file:
        file.write(f"{'copy' if child == 0 else 'original'} {os.getpid()}\n")
    return child


async def fork_and_return_async(path: str) -> int:
    return fork_and_return(path)


def fork_and_raise(path: str) -> None:
    if fork_and_return(path) == 0:
        raise ValueError("the copy fails")


@task(transactional=True)
def fork_in_a_transaction(conn: psycopg.Connection[Any], path: str, value: int) -> None:
    conn.execute("insert into effects (value) values (%s)", [value])
    fork_and_return(path)
    gc.collect()


@task(transactional=True)
async def fork_in_a_transaction_async(conn: psycopg.AsyncConnection[Any], path: str, value: int) -> None:
    await conn.execute("insert into effects (value) values (%s)", [value])
    fork_and_return(path)


@task(transactional=True)
def fork_and_use_the_connection(conn: psycopg.Connection[Any], path: str, value: int) -> None:
    """The copy writes, commits and closes on the connection of the original, which writes after it."""
    child = os.fork()
    if child == 0:
        try:
            conn.execute("insert into effects (value) values (-1)")
            conn.execute("commit")
        finally:
            Path(path).write_text("the copy is through")
            conn.close()
            os._exit(0)
    os.waitpid(child, 0)
    conn.execute("insert into effects (value) values (%s)", [value])


def close_all_files(then: str) -> None:
    """Close what belongs to others; `then` says what takes the freed numbers."""
    os.closerange(3, 1024)
    take_numbers(then)


@task(transactional=True)
def close_all_files_in_a_transaction(conn: psycopg.Connection[Any], then: str) -> None:
    conn.execute("insert into effects (value) values (-2)")
    os.closerange(3, 1024)
    take_numbers(then)


taken: list[Any] = []


def take_numbers(then: str) -> None:
    if then == "files":
        taken[:] = [os.open(os.devnull, os.O_RDWR) for _ in range(60)]
    elif then == "sockets":
        taken[:] = [socket.socketpair() for _ in range(30)]
    elif then == "talking sockets":
        taken[:] = [socket.socketpair() for _ in range(30)]
        for one, other in taken:
            one.send(b"\0\0\0\1.")
            other.send(b"\0\0\0\1.")


def write_garbage(garbage: str) -> None:
    """Speak to the worker in the name of the child, then wait."""
    os.write(int(sys.argv[1]), garbage.encode("latin-1"))
    time.sleep(1)


def write_bytes(hexadecimal: str) -> None:
    os.write(int(sys.argv[1]), bytes.fromhex(hexadecimal))
    time.sleep(1)


def listen_in() -> None:
    """Leave a thread behind that reads what the worker says to the child."""

    def read() -> None:
        while os.read(int(sys.argv[1]), 1 << 16):
            pass

    for _ in range(3):
        threading.Thread(target=read, daemon=True).start()


def leave_processes_behind(path: str) -> None:
    """Start a process in the group of the child, and one in a session of its own."""
    near = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    far = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], start_new_session=True)
    Path(path).write_text(f"{os.getpid()} {near.pid} {far.pid}")
    near.returncode = far.returncode = 0


def leave_threads_behind(daemon: bool) -> None:
    for _ in range(5):
        threading.Thread(target=time.sleep, args=[120], daemon=daemon).start()
