"""Items on their way from the thread that iterates to the one that enqueues: bounded in number, and in bytes."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from pgqueue.job import NewJob

# Of arguments in one batch: what a slow link carries in seconds.
BATCH_BYTES = 4 * 1024 * 1024
# Seconds in which a batch may gather: a slow iterator's items are not kept waiting for more than that.
LINGER = 0.1
# What a job has beside its arguments, about.
BESIDE = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One job to feed, and the cursor that means: up to here."""

    cursor: Any
    new: NewJob
    size: int


class Basket:
    """Hands items over in batches of at most `batch`; holds no more than two of them.

    The two threads share no lock: Ctrl-C may raise between any two steps of the one that iterates, also between taking
    a lock and the block that lets it go.
    """

    def __init__(self, batch: int) -> None:
        self._batch = batch
        # None: nothing more will come.
        self._handed: SimpleQueue[Item | None] = SimpleQueue()
        # How many items, of how many bytes, were taken out at once.
        self._freed: SimpleQueue[tuple[int, int]] = SimpleQueue()
        self._hurry: SimpleQueue[None] = SimpleQueue()
        # Of the thread that puts: what it has not heard to be taken.
        self._held, self._held_bytes = 0, 0
        # Of the thread that takes.
        self._left_over: Item | None = None
        self._ended = False
        self._hurried = False
        self._failure: BaseException | None = None

    @property
    def hurried(self) -> bool:
        """Whether nothing more is waited for: neither for room nor for the database."""
        return self._hurried

    def put(self, item: Item) -> None:
        """Add an item, when there is place for it. Raises what the other thread ended with."""
        while self._failure is None and self._is_full():
            count, size = self._freed.get()
            self._held -= count
            self._held_bytes -= size
        if self._failure is not None:
            raise self._failure
        self._held += 1
        self._held_bytes += item.size
        self._handed.put(item)

    def end(self, *, hurried: bool = False) -> None:
        """Nothing more will come."""
        if hurried:
            self._hurried = True
            self._hurry.put(None)
        self._handed.put(None)

    def fail(self, failure: BaseException) -> None:
        """Nothing more will be taken."""
        self._failure = failure
        self._freed.put((0, 0))

    def take(self) -> list[Item]:
        """The next batch, as soon as it is full or the first of it has waited long enough; empty at the end."""
        taken: list[Item] = []
        size, until = 0, None
        while len(taken) < self._batch and (item := self._next(until)) is not None:
            if taken and size + item.size > BATCH_BYTES:
                self._left_over = item
                break
            taken.append(item)
            size += item.size
            until = until or time.monotonic() + LINGER
        self._freed.put((len(taken), size))
        return taken

    def pause(self, seconds: float) -> None:
        """Wait, but not once it is hurried."""
        if not self._hurried:
            with suppress(Empty):
                self._hurry.get(timeout=seconds)

    def _next(self, until: float | None) -> Item | None:
        """The next item; None at the end, or if none came until then."""
        if (item := self._left_over) is not None:
            self._left_over = None
        elif not self._ended:
            with suppress(Empty):
                item = self._handed.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
                self._ended = item is None
        return item

    def _is_full(self) -> bool:
        return self._held >= 2 * self._batch or self._held_bytes >= 2 * BATCH_BYTES
