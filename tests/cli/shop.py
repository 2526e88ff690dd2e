"""Tasks of a small shop, for the command line's tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

import pgqueue
from pgqueue import JobContext


@pgqueue.task
def send_receipt(order_id: int) -> str:
    return f"sent {order_id}"


@pgqueue.task(queue="mail", priority=7, max_attempts=8)
def remind(customer: str) -> None:
    print("dear", customer)


@pgqueue.task(timeout=60)
def break_down(why: str = "no paper") -> None:
    raise ValueError(why)


@pgqueue.task(transactional=True)
def charge(conn: psycopg.Connection[Any], order_id: int) -> None:
    conn.execute("create table if not exists charged (order_id int)")
    conn.execute("insert into charged values (%s)", [order_id])


@pgqueue.task
async def count(upto: int) -> int:
    return upto


def wait_for(folder: str, seconds: float) -> None:
    """Say that it runs by a file, then take its time."""
    Path(folder, "running").touch()
    time.sleep(seconds)


@pgqueue.task(max_attempts=1)
def linger(folder: str, seconds: float) -> None:
    """Say that it runs by a file, then wait until it is told to end."""
    Path(folder, "running").touch()
    if pgqueue.current_job().wait_cancelled(seconds):
        raise RuntimeError("told to end")


@contextmanager
def noting(job: JobContext) -> Iterator[None]:
    """A middleware that leaves a trace."""
    print("noted", job.target)
    yield
