"""Tasks that run for long: they say how far they are, where they go on, and stop at a yield."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.context import current_job
from pgqueue.retry import Fixed
from pgqueue.tasks import task

SOON = Fixed(0.02)


def await_file(path: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def note(path: str, text: object) -> None:
    """Append a line to the file `path`."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


@task(retry=SOON)
def tell(path: str) -> None:
    job = current_job()
    for done in range(10_001):
        job.progress(done, 20_000, f"row {done}")
    await_file(path)
    job.progress(20_000, 20_000, "all \x1b[31mrows")


@task(retry=SOON)
async def tell_async(path: str) -> None:
    await asyncio.to_thread(tell.function, path)


@task(max_attempts=1, sensitive=("token",))
def tell_secret(token: str) -> None:
    current_job().progress(1, note=f"with {token}")


@task(max_attempts=1)
def tell_nonsense(done: Any) -> None:
    current_job().progress(done)


@task(retry=SOON, timeout=0.4)
def take_longer(path: str, seconds: float, extension: float) -> str:
    """Longer than its timeout, and asking for it in time."""
    job = current_job()
    until = time.monotonic() + seconds
    job.extend(extension)
    left = (job.deadline or 0) - time.monotonic()
    while time.monotonic() < until:
        time.sleep(0.01)
    note(path, f"{left:.0f}")
    return "in time"


@task(retry=SOON, timeout=0.4)
async def take_longer_async(path: str, seconds: float, extension: float) -> str:
    current_job().extend(extension)
    await asyncio.sleep(seconds)
    note(path, extension)
    return "in time"


@task(retry=SOON)
def await_end_of_worker(path: str) -> None:
    job = current_job()
    note(path, f"began {job.shutting_down}")
    note(path, f"ended {job.wait_ending(20)} {job.shutting_down} {job.cancelled}")


@task(retry=SOON, max_attempts=5)
def remember(path: str, failures: int) -> None:
    job = current_job()
    note(path, job.resumed_from)
    job.checkpoint({"done": job.attempt})
    if job.attempt <= failures:
        raise ValueError("not yet")


@task(retry=SOON, max_attempts=5)
async def remember_async(path: str, failures: int) -> None:
    job = current_job()
    note(path, await job.load_checkpoint())
    await job.checkpoint({"done": job.attempt})
    if job.attempt <= failures:
        raise ValueError(f"not yet, after {job.resumed_from}")


@task(max_attempts=1)
async def ask_in_the_loop() -> None:
    """Only from its second claim on there is something to ask."""
    print(current_job().resumed_from)


@task(retry=SOON, max_attempts=2)
def remember_now_and_then(path: str) -> None:
    job = current_job()
    note(path, job.resumed_from)
    if job.attempt == 1:
        for number in range(100):
            job.checkpoint(number, every=60)
        raise ValueError("not yet")


@task(retry=SOON, transactional=True, max_attempts=1)
def remember_in_vain(conn: psycopg.Connection[Any]) -> None:
    current_job().checkpoint(1)


@task(retry=SOON)
def write_in_own_transactions(dsn: str, rows: int, pause: float = 0.0) -> None:
    """Each row in a transaction with the checkpoint that says so."""
    job = current_job()
    with psycopg.connect(dsn, application_name="pgqueue own") as conn:
        for value in range(job.resumed_from or 0, rows):
            with conn.transaction():
                conn.execute("insert into effects (value) values (%s)", [value])
                time.sleep(pause)
                job.checkpoint(value + 1, conn=conn)


@task(retry=SOON, max_attempts=3, iterable=True)
def count(path: str, units: int, pause: float = 0.0) -> Iterator[Any]:
    """A line a unit; at the end, however that comes, one more."""
    first = current_job().resumed_from or 0
    try:
        for number in range(first, units):
            note(path, number)
            time.sleep(pause)
            yield number + 1
    finally:
        note(path, "left")


@task(retry=SOON, max_attempts=3, iterable=True)
async def count_async(path: str, units: int, pause: float = 0.0) -> AsyncIterator[Any]:
    first = current_job().resumed_from or 0
    try:
        for number in range(first, units):
            note(path, number)
            await asyncio.sleep(pause)
            yield number + 1
    finally:
        note(path, "left")


@task(retry=SOON, max_attempts=3, iterable=True, max_run=0.05)
def count_in_turns(path: str, name: str, units: int) -> Iterator[Any]:
    for number in range(current_job().resumed_from or 0, units):
        note(path, f"{name}{number}")
        time.sleep(0.03)
        yield number + 1


@task(retry=SOON, max_attempts=3, iterable=True)
def fail_on_the_way(path: str) -> Iterator[Any]:
    job = current_job()
    for number in range(job.resumed_from or 0, 4):
        note(path, number)
        if number == 2 and job.attempt == 1:
            raise ValueError("at two")
        yield number + 1
    return "all four"


@task(retry=SOON, iterable=True, transactional=True)
def write_units(conn: psycopg.Connection[Any], units: int, pause: float = 0.0) -> Iterator[Any]:
    """A row a unit, each committed at its yield."""
    for value in range(current_job().resumed_from or 0, units):
        conn.execute("insert into effects (value) values (%s)", [value])
        time.sleep(pause)
        yield value + 1


@task(retry=SOON, iterable=True, transactional=True)
async def write_units_async(conn: psycopg.AsyncConnection[Any], units: int, pause: float = 0.0) -> AsyncIterator[Any]:
    for value in range(current_job().resumed_from or 0, units):
        await conn.execute("insert into effects (value) values (%s)", [value])
        await asyncio.sleep(pause)
        yield value + 1


@task(max_attempts=1, iterable=True, transactional=True)
def commit_by_itself(conn: psycopg.Connection[Any]) -> Iterator[Any]:
    conn.execute("insert into effects (value) values (1)")
    yield 1
    conn.execute("insert into effects (value) values (2)")
    conn.commit()
    yield 2


@task(retry=SOON, iterable=True, timeout=0.3)
def heed_its_time(path: str) -> Iterator[Any]:
    """Busy for longer than it may be, in units that are short."""
    for number in range(current_job().resumed_from or 0, 6):
        note(path, number)
        time.sleep(0.1)
        yield number + 1


@task(max_attempts=1, iterable=True)
def bring_with_its_success(at: str | None) -> Iterator[Any]:
    current_job().enqueue(tell, ["nowhere"], delay=3600, at=at)  # type: ignore[call-overload]  # of either kind
    yield 1
