"""Tasks that whole workers run in the tests: soon retried, with effects that can be counted."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

import pgqueue
from pgqueue.context import current_job
from pgqueue.outcome import Snooze
from pgqueue.retry import Fixed
from pgqueue.tasks import task

SOON = Fixed(0.05)


@task(retry=SOON)
def work(seconds: float = 0) -> None:
    time.sleep(seconds)


@task(retry=SOON)
async def work_async(seconds: float = 0) -> None:
    await asyncio.sleep(seconds)


@task(retry=SOON)
def fail_until(attempt: int) -> int:
    if current_job().attempt < attempt:
        raise ValueError(f"attempt {current_job().attempt} fails")
    return current_job().attempt


@task(max_attempts=1)
def fail_abroad() -> None:
    raise ValueError("\N{EURO SIGN} 42")


@task(max_attempts=1)
def fail_with_a_detail(detail: str) -> None:
    raise ValueError(f"it is taken\nDETAIL:  {detail}")


@task(retry=SOON)
async def fail_until_async(attempt: int) -> int:
    if current_job().attempt < attempt:
        raise ValueError(f"attempt {current_job().attempt} fails")
    return current_job().attempt


@task(retry=SOON, transactional=True)
def effect(conn: psycopg.Connection[Any], value: int, seconds: float = 0) -> None:
    conn.execute("insert into public.effects (value) values (%s)", [value])
    time.sleep(seconds)


@task(retry=SOON, transactional=True)
async def effect_async(conn: psycopg.AsyncConnection[Any], value: int, seconds: float = 0) -> None:
    await conn.execute("insert into public.effects (value) values (%s)", [value])
    await asyncio.sleep(seconds)


@task(max_attempts=1, transactional=True)
def soil_and_fail(conn: psycopg.Connection[Any]) -> None:
    """Leave behind what no rollback undoes, and fail."""
    conn.execute("select pg_advisory_lock(4711)")
    conn.execute("prepare dirty as select 1")
    raise ValueError("no")


@task(retry=SOON, transactional=True)
def enqueue_and(conn: psycopg.Connection[Any], then: str) -> None:
    pgqueue.enqueue(conn, work, queue="born")
    if then == "raise":
        raise ValueError("no")


@task(retry=SOON)
def record(path: str, text: str) -> None:
    """Append a line to the file `path`."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


@task(retry=SOON)
def record_pid(path: str, seconds: float = 0) -> None:
    """Append the id of the process that runs it to the file `path`."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)


@task(retry=SOON)
async def record_pid_async(path: str, seconds: float = 0) -> None:
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    await asyncio.sleep(seconds)


@task(retry=SOON)
def start_process(path: str) -> None:
    """Start a process, write its id to the file `path`, and wait for its end."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        Path(path).write_text(f"{process.pid}\n")


@task(retry=SOON)
def complete_late(dsn: str, flag: str) -> None:
    """Say in the file `flag` that it runs, wait until that is gone, then complete in a transaction of its own."""
    Path(flag).write_text("running")
    while Path(flag).exists():
        time.sleep(0.01)
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into public.effects (value) values (1)")
        current_job().complete(conn)


@task(retry=SOON)
def complete_itself(dsn: str) -> None:
    """Complete in a transaction of its own."""
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into public.effects (value) values (1)")
        current_job().complete(conn)


@task
def snooze_once(path: str) -> None:
    if not Path(path).exists():
        Path(path).touch()
        raise Snooze(0.05)


class NotATask:
    """A class; calling it is none of a job's business."""


@task
def again() -> None:
    raise Snooze(0)


@task
def swallow(text: str, seconds: float = 0) -> None:
    time.sleep(seconds)


@task
def give(size: int) -> str:
    return "x" * size


@task(retry=SOON)
def adding() -> None:
    """Bring one more job into its own workflow."""
    current_job().add(work.job())


@pgqueue.workflow
def awaiting(ctx: pgqueue.Durable) -> Any:
    """Wait for the signal "go", in a step and out of one."""
    ctx.step("begin", work)
    return ctx.wait_for("go", timeout=20)
