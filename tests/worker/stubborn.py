"""Tasks that end late, badly, or not at all, unless somebody sees to it."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.context import current_job
from pgqueue.errors import SoftTimeout
from pgqueue.outcome import Bury, Retry, Snooze
from pgqueue.retry import Fixed
from pgqueue.tasks import task

SOON = Fixed(0.05)


def note(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


@task(retry=SOON)
def hang(path: str = os.devnull) -> None:
    note(path, "began")
    _sleep_in_steps(60)


@task(retry=SOON)
async def hang_async(path: str = os.devnull) -> None:
    note(path, "began")
    await asyncio.sleep(60)


@task(soft_timeout=0.3, timeout=60, retry=SOON)
def hang_softly() -> None:
    _sleep_in_steps(60)


@task(soft_timeout=0.3, timeout=60, retry=SOON)
async def hang_softly_async() -> None:
    await asyncio.sleep(60)


@task(on_timeout="bury", retry=SOON)
def hang_and_be_buried() -> None:
    _sleep_in_steps(60)


@task(on_timeout="cancel", retry=SOON)
async def hang_and_be_cancelled() -> None:
    await asyncio.sleep(60)


@task(on_expiry="bury")
def expire_and_be_buried() -> None: ...


@task(on_expiry="cancel")
def expire_and_be_cancelled() -> None: ...


@task
def tidy_up(path: str) -> str:
    """Return normally when the time is up."""
    try:
        _sleep_in_steps(60)
    except SoftTimeout:
        note(path, "tidied")
    return "partly"


@task
async def tidy_up_async(path: str) -> str:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        note(path, "tidied")
    return "partly"


@task
def ask_for_more() -> None:
    try:
        _sleep_in_steps(60)
    except SoftTimeout:
        raise Retry("more time", delay=9) from None


@task(retry=SOON)
def swallow(path: str = os.devnull) -> None:
    note(path, str(os.getpid()))
    told = False
    while True:
        with suppress(SoftTimeout):
            _sleep_in_steps(0.02)
            if current_job().cancelled and not told:
                told = True
                note(path, "told")


@task(retry=SOON)
async def swallow_async() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


@task(retry=SOON)
async def block_loop(seconds: float) -> None:
    time.sleep(seconds)


@task(retry=SOON)
def ignore_signals(path: str) -> None:
    """Ignore SIGTERM, start a process that does, too, and go on."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        note(path, str(process.pid))
        swallow.function()


@task(retry=SOON)
def hold_the_gil(path: str = os.devnull) -> None:
    note(path, "began")
    ctypes.PyDLL(None).sleep(60)


@task(retry=SOON)
def stop_oneself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@task(transactional=True, retry=SOON)
def insert_and_hang(conn: psycopg.Connection[Any], how: str) -> None:
    conn.execute("insert into effects (value) values (1)")
    if how == "in the database":
        conn.execute("select pg_sleep(60)")
    _sleep_in_steps(60)


@task(transactional=True, retry=SOON)
async def insert_and_hang_async(conn: psycopg.AsyncConnection[Any], how: str) -> None:
    await conn.execute("insert into effects (value) values (1)")
    if how == "in the database":
        await conn.execute("select pg_sleep(60)")
    await asyncio.sleep(60)


@task
def wait_until_cancelled(path: str, then: str) -> str:
    assert not current_job().cancelled
    note(path, "began")
    if not current_job().wait_cancelled(60):
        return "nobody did"
    assert current_job().cancelled
    match then:
        case "raise":
            raise InterruptedError("as you wish")
        case "retry":
            raise Retry(delay=0)
    return "in time"


@task
async def wait_until_cancelled_async(path: str, then: str) -> str:
    note(path, "began")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        if then == "raise":
            raise
    assert current_job().cancelled
    return "in time"


@task(at_most_once=True, retry=SOON)
def once(how: str, path: str = os.devnull) -> None:
    note(path, "began")
    match how:
        case "raise":
            raise ValueError("no")
        case "interrupt":
            raise KeyboardInterrupt
        case "retry at the end of time":
            raise Retry(delay=math.inf)
        case "out of disk":
            raise OSError(errno.ENOSPC, "disk full")
        case "exit":
            os._exit(3)
        case "hang":
            _sleep_in_steps(60)
        case "retry":
            raise Retry(delay=3)
        case "snooze":
            raise Snooze(3)
        case "bury":
            raise Bury("look")


class OutOfPaper(Exception): ...


@task(infra_errors=(OutOfPaper,), retry=SOON)
def blame_the_host(how: str) -> None:
    match how:
        case "memory":
            raise MemoryError
        case "paper":
            raise OutOfPaper("tray 2")
        case "missing":
            raise FileNotFoundError(errno.ENOENT, "no such file")
    raise OSError(getattr(errno, how), os.strerror(getattr(errno, how)))


@task
def use_memory(size: int, seconds: float = 0) -> None:
    block = bytearray(b"x") * size
    _sleep_in_steps(seconds)
    del block


@task
def return_at_the_limit(seconds: float) -> str:
    """Return as close to the limit as can be."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "done"


def _sleep_in_steps(seconds: float) -> None:
    """A thread takes notice between two calls into C."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(0.02, left))
