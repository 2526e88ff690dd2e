"""Tasks that every release can run: what they did is in tables of the test."""

from __future__ import annotations

import time
from typing import Any

import pgqueue


@pgqueue.task(transactional=True)
def note(conn: Any, number: int) -> None:
    conn.execute("insert into effects (number) values (%s)", [number])


@pgqueue.task(retry=pgqueue.Fixed(0.2), max_attempts=20)
def fail_once(number: int) -> None:
    if pgqueue.current_job().attempt == 1:
        raise ValueError(f"number {number} comes again")


@pgqueue.task(max_attempts=20, store_result=True)
def doze(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@pgqueue.task(max_attempts=20, limit_key="few", concurrency=3)
def share(number: int) -> None:
    time.sleep(0.01)
