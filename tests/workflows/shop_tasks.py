"""Tasks of which workflows are made; what ran is noted, so that a test can look at its order."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue

ran: list[tuple[str, Any]] = []
# What fails, by what it is called with, until a test takes it out.
failing: dict[Any, type[Exception]] = {}


@pgqueue.task(max_attempts=1)
def add(x: int, y: int) -> int:
    """Noted, and may be told to fail."""
    ran.append(("add", (x, y)))
    if (error := failing.get(x)) is not None:
        raise error(f"{x} is told to fail")
    return x + y


@pgqueue.task(max_attempts=1)
def total(numbers: list[Any]) -> int:
    """The sum of what there is."""
    ran.append(("total", numbers))
    return sum(each for each in numbers if each is not None)


@pgqueue.task(max_attempts=1)
def note(*said: Any) -> Any:
    """Noted, and returned."""
    ran.append(("note", said[0] if len(said) == 1 else said))
    if said and isinstance(said[0], str | int) and (error := failing.get(said[0])) is not None:
        raise error(f"{said[0]!r} is told to fail")
    return said[0] if said else None


@pgqueue.task(max_attempts=1)
async def later(said: Any) -> Any:
    """As note(), in an event loop."""
    ran.append(("later", said))
    return said


@pgqueue.task(max_attempts=1, store_result=False)
def silent() -> int:
    """Stores nothing."""
    return 1


@pgqueue.task(unique="args")
def keyed(x: int) -> int:
    """Has a key of its own."""
    return x


@pgqueue.task(max_attempts=1)
def grow(numbers: list[int]) -> int:
    """Adds a job for each number to its own workflow."""
    ran.append(("grow", numbers))
    job = pgqueue.current_job()
    for number in numbers:
        job.add(add.job(number, 0))
    if "grow" in failing:
        raise failing["grow"]
    return 0


@pgqueue.task(max_attempts=1)
def grow_deep(depth: int) -> int:
    """Adds a job that adds a job."""
    ran.append(("grow_deep", depth))
    if depth:
        pgqueue.current_job().add(grow_deep.job(depth - 1))
    return depth


@pgqueue.task(max_attempts=1)
def grow_chain(number: int) -> int:
    """Adds a chain."""
    pgqueue.current_job().add(pgqueue.chain(add.job(number, 1), add.job(pgqueue.previous, 1)))
    return number


@pgqueue.task(max_attempts=1, transactional=True)
def grow_within(conn: psycopg.Connection[Any], number: int) -> int:
    """Adds a job in its own transaction."""
    pgqueue.current_job().add(add.job(number, 0))
    return number


@pgqueue.task(max_attempts=1)
async def grow_later(number: int) -> int:
    """Adds a job, in an event loop."""
    pgqueue.current_job().add(add.job(number, 0))
    return number


@pgqueue.task(max_attempts=1)
def gather(node: str | None = None) -> int:
    """Reads what a node's jobs returned."""
    ran.append(("gather", list(pgqueue.current_job().gathered(node))))
    return 0


@pgqueue.task(max_attempts=1)
async def gather_later(node: str) -> int:
    """As gather(), in an event loop."""
    ran.append(("gather", [each async for each in pgqueue.current_job().gathered(node)]))
    return 0


@pgqueue.task(max_attempts=1)
def act(name: str) -> str:
    """Noted, and may be told to fail."""
    ran.append(("act", name))
    if (error := failing.get(name)) is not None:
        raise error(name)
    return name
