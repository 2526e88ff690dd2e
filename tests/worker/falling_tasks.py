"""Tasks that cannot do it, and what follows them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.context import current_job
from pgqueue.outcome import Bury
from pgqueue.retry import Fixed
from pgqueue.tasks import task

SOON = Fixed(0.01, jitter=0)
HERE = __name__


@task(retry=SOON, fallback=f"{HERE}:naive", fallback_after=2)
def fail(value: int) -> None:
    raise ValueError(value)


@task(retry=SOON, fallback=f"{HERE}:naive", fallback_after=2)
async def fail_async(value: int) -> None:
    raise ValueError(value)


@task(store_result=True)
def naive(value: Any) -> list[Any]:
    return [current_job().target.partition(":")[2], current_job().attempt, value]


@task(retry=SOON, fallback=f"{HERE}:naive", fallback_after=1, timeout=0.3)
def hang(value: Any) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        time.sleep(0.01)


@task(retry=SOON, fallback=f"{HERE}:naive", fallback_after=2)
def crash(value: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@task(retry=SOON, fallback=f"{HERE}:naive", fallback_after=1, fallback_on=("lost",))
def take_the_worker_along(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(30)


@task(retry=SOON, fallback=f"{HERE}:unwilling", fallback_after=1)
def first(value: Any) -> None:
    raise ValueError(value)


@task(retry=SOON, fallback="human", max_attempts=2)
def unwilling(value: Any) -> None:
    raise ValueError(value)


@task(fallback="tests.worker.foreign:hello", fallback_after=1)
def send_abroad(name: str) -> None:
    raise ValueError(name)


@task(transactional=True, retry=SOON, fallback=f"{HERE}:write_plainly", fallback_after=1)
def write(conn: psycopg.Connection[Any], value: int) -> None:
    conn.execute("insert into public.effects (value) values (%s)", [value])
    raise ValueError(value)


@task(transactional=True, retry=SOON)
def write_plainly(conn: psycopg.Connection[Any], value: int) -> None:
    conn.execute("insert into public.effects (value) values (%s)", [value + 100])


@task(fallback=f"{HERE}:naive", fallback_after=1)
def bury(value: Any) -> None:
    raise Bury("look at this")


@task(at_most_once=True, fallback="human")
def once(value: Any) -> None:
    raise ValueError(value)
