"""Items on their way from the thread that iterates to the one that enqueues: bounded in number, and in bytes."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
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
    """Hands items over in batches of at most `batch`; holds no more than two of them."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        # Guards all below.
        self._turn = threading.Condition()
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._ended = False
        self._hurried = False
        self._failure: BaseException | None = None

    @property
    def hurried(self) -> bool:
        """Whether nothing more is waited for: neither for room nor for the database."""
        return self._hurried

    def put(self, item: Item) -> None:
        """Add an item, when there is place for it. Raises what the other thread ended with."""
        with self._turn:
            while self._failure is None and self._is_full():
                self._turn.wait()
            if self._failure is not None:
                raise self._failure
            self._items.append(item)
            self._bytes += item.size
            self._turn.notify_all()

    def end(self, *, hurried: bool = False) -> None:
        """Nothing more will come."""
        with self._turn:
            self._ended = True
            self._hurried = self._hurried or hurried
            self._turn.notify_all()

    def fail(self, failure: BaseException) -> None:
        """Nothing more will be taken."""
        with self._turn:
            self._failure = failure
            self._turn.notify_all()

    def take(self) -> list[Item]:
        """The next batch, as soon as it is full or the first of it has waited long enough; empty at the end."""
        with self._turn:
            while not self._items and not self._ended:
                self._turn.wait()
            until = time.monotonic() + LINGER
            while not self._ended and not self._has_batch() and (left := until - time.monotonic()) > 0:
                self._turn.wait(left)
            taken: list[Item] = []
            size = 0
            while self._items and len(taken) < self._batch and (not taken or size + self._items[0].size <= BATCH_BYTES):
                item = self._items.popleft()
                size += item.size
                taken.append(item)
            self._bytes -= size
            self._turn.notify_all()
            return taken

    def pause(self, seconds: float) -> None:
        """Wait, but not once it is hurried."""
        until = time.monotonic() + seconds
        with self._turn:
            while not self._hurried and (left := until - time.monotonic()) > 0:
                self._turn.wait(left)

    def _has_batch(self) -> bool:
        return len(self._items) >= self._batch or self._bytes >= BATCH_BYTES

    def _is_full(self) -> bool:
        return len(self._items) >= 2 * self._batch or self._bytes >= 2 * BATCH_BYTES
