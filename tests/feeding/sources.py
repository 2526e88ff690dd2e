"""Iterators that feeds read in the tests, and the task that they feed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pgqueue

NUMBERS = list(range(25))
MANY = 5000


@pgqueue.task(queue="fed", priority=7)
def take(number: int, **rest: Any) -> None:
    return


def numbers(cursor: int | None) -> Iterator[tuple[int, list[int]]]:
    """As from a table, by its key."""
    for number in range(0 if cursor is None else cursor + 1, MANY):
        yield number, [number]


def slowly(cursor: int | None) -> Iterator[tuple[int, list[int]]]:
    """As from a service: so that there is time to be killed."""
    for pair in numbers(cursor):
        time.sleep(0.0002)
        yield pair


def plain() -> Iterator[int]:
    """Without a cursor."""
    yield from NUMBERS


async def awaited(cursor: int | None) -> AsyncIterator[tuple[int, list[int]]]:
    """As from a service, asynchronously."""
    for number in range(0 if cursor is None else cursor + 1, 25):
        yield number, [number]


def breaking(cursor: int | None) -> Iterator[tuple[int, list[int]]]:
    """Breaks at 10."""
    for number, args in numbers(cursor):
        if number == 10:
            raise LookupError("no page 10")
        yield number, args


def endless(cursor: int | None) -> Iterator[tuple[int, list[int]]]:
    """A few at once, and then nothing for a long time."""
    for number in range(0 if cursor is None else cursor + 1, 3):
        yield number, [number]
    time.sleep(60)


def misfit(cursor: int | None) -> Iterator[tuple[int, Any]]:
    yield 1, [1]
    yield 2, {"no_such": 2}


def unsaid(cursor: int | None) -> Iterator[tuple[int, Any]]:
    yield 1, [1]
    yield 2, [object()]


def same(cursor: str | None) -> Iterator[tuple[str, Any]]:
    yield "page 1", [1]
    yield "page 1", [2]


def bare(cursor: int | None) -> Iterator[Any]:
    yield [1]


def chosen() -> Iterator[Any]:
    """Jobs with options of their own, and each shape of arguments."""
    yield take.using(queue="other").job(1)
    yield [2]
    yield {"number": 3, "colour": "red"}
    yield 4
    yield pgqueue.NewJob("elsewhere.letters:remind", ["Ann"], labels={"kind": "note"})
