"""Many jobs that the database must judge one by one, in pieces of a bounded size: one statement, or several.

A statement holds its values twice on this side and once more on the server's, where no value may have more than a
gigabyte. So what is large goes in pieces, all or nothing, in the order in which the database takes ids and keys: two
callers that enqueue the same ones wait for each other, and do not deadlock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload
from uuid import UUID

from pgqueue.codec import args_of
from pgqueue.job import NewJob
from pgqueue.store import enqueueing
from pgqueue.store.connection import (
    ASYNC,
    AnyConnection,
    AsyncConnection,
    SyncConnection,
    awaited,
    driver,
    driver_async,
    is_async,
)
from pgqueue.store.keys import check_key, key_of
from pgqueue.store.statement import execute
from pgqueue.store.whole import whole, whole_async

# Of arguments in one statement: what a slow link carries in seconds, and a small server can hold.
PIECE_BYTES = 4 * 1024 * 1024
# What a job has beside its arguments, about.
_BESIDE = 200


@overload
def send(conn: SyncConnection, new_jobs: Sequence[NewJob]) -> list[UUID]: ...
@overload
def send(conn: AsyncConnection, new_jobs: Sequence[NewJob]) -> Awaitable[list[UUID]]: ...
def send(conn: AnyConnection, new_jobs: Sequence[NewJob]) -> list[UUID] | Awaitable[list[UUID]]:
    """(nothing) -> scheduled | ready, in the transaction open on `conn`; answers the ids in order. O(batch log n).

    One round trip, if the jobs fit into one piece. Raises ArgumentError, OptionError; then nothing was written.
    """
    for new in new_jobs:
        check_key(new)
    pieces = _pieces(new_jobs, range(len(new_jobs)))
    first = next(pieces, _Piece())
    if next(pieces, None) is None:
        return execute(conn, enqueueing.enqueue_many(first.new_jobs, first.args))
    if is_async(conn):
        return _send_async(conn, new_jobs)
    raw = driver(conn)
    if isinstance(raw, ASYNC):
        return awaited(_send_async(raw, new_jobs))
    ids: dict[int, UUID] = {}
    with whole(raw, several=True):
        for piece in _pieces(new_jobs, _in_order(new_jobs)):
            made = execute(raw, enqueueing.enqueue_many(piece.new_jobs, piece.args))
            ids.update(zip(piece.numbers, made, strict=True))
    return [ids[number] for number in range(len(new_jobs))]


async def _send_async(conn: AsyncConnection, new_jobs: Sequence[NewJob]) -> list[UUID]:
    raw = await driver_async(conn)
    ids: dict[int, UUID] = {}
    async with whole_async(raw, several=True):
        for piece in _pieces(new_jobs, _in_order(new_jobs)):
            made = await execute(raw, enqueueing.enqueue_many(piece.new_jobs, piece.args))
            ids.update(zip(piece.numbers, made, strict=True))
    return [ids[number] for number in range(len(new_jobs))]


def pieces(new_jobs: Sequence[NewJob]) -> Iterator[list[int]]:
    """The numbers of the jobs that go in one statement, in the order in which they are to go. Raises as send()."""
    for new in new_jobs:
        check_key(new)
    for piece in _pieces(new_jobs, _in_order(new_jobs)):
        yield piece.numbers


@dataclass(slots=True)
class _Piece:
    """What goes in one statement: jobs, their arguments as texts, and their numbers in the caller's list."""

    numbers: list[int] = field(default_factory=list)
    new_jobs: list[NewJob] = field(default_factory=list)
    args: list[str] = field(default_factory=list)


def _pieces(new_jobs: Sequence[NewJob], order: Iterable[int]) -> Iterator[_Piece]:
    piece, size = _Piece(), 0
    for number in order:
        new = new_jobs[number]
        text = args_of(new)
        # A character is at least a byte; those of other alphabets are up to four, and their share is a caller's.
        weight = len(text) + _BESIDE
        if piece.numbers and (size + weight > PIECE_BYTES or new.notify != piece.new_jobs[0].notify):
            yield piece
            piece, size = _Piece(), 0
        piece.numbers.append(number)
        piece.new_jobs.append(new)
        piece.args.append(text)
        size += weight
    if piece.numbers:
        yield piece


def _in_order(new_jobs: Sequence[NewJob]) -> list[int]:
    """Given ids, then unique keys, then the rest; as enqueue_jobs.sql orders them within one piece."""

    def rank(number: int) -> tuple[int, int, str, str]:
        new = new_jobs[number]
        if (key := key_of(new)) is not None:
            return 1, 0, key, new.notify or ""
        if new.job_id is not None:
            return 0, new.job_id.int, "", new.notify or ""
        return 2, 0, "", new.notify or ""

    return sorted(range(len(new_jobs)), key=rank)
