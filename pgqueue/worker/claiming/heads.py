"""Heads: the first waiting job of each slot, as last seen, for a worker whose queues are too many to look at each time.

Slots are ranked by priority, then by how long their heads have waited; or by age, where a level of priority is worth
some waiting (ageing.py). A head that is not due yet is remembered until it is. A slot that was found empty is
forgotten, until somebody sees a head there again.
"""

from __future__ import annotations

import heapq
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pgqueue.store.jobs import Slot
from pgqueue.worker.claiming.ageing import Ageing

Key = tuple[str, int]
# Entries of a heap that no longer hold are passed over; so many more than slots, and the heaps are made anew.
SPARE = 1000


class Head(NamedTuple):
    """Where a slot's next claim begins, and since when or from when on it is due, in monotonic seconds."""

    due_at: float
    after: datetime
    after_id: UUID


class Ranked(NamedTuple):
    """A slot with its head's age, in the order in which slots are claimed from."""

    rank: int
    due_at: float
    queue: str
    head: Head

    @property
    def key(self) -> Key:
        """The slot."""
        return self.queue, -self.rank

    @property
    def slot(self) -> Slot:
        """As a step is told."""
        return Slot(self.queue, -self.rank, self.head.after, self.head.after_id)

    def age(self, ageing: Ageing) -> float:
        """Its place by age."""
        return self.due_at + self.rank * ageing.of(self.queue)


def ranked(key: Key, head: Head) -> Ranked:
    """Higher priorities first, then what has waited longest."""
    return Ranked(-key[1], head.due_at, key[0], head)


class Heads:
    """Told of heads that were seen; hands slots out, the first in rank first, and forgets them then."""

    def __init__(self, ageing: Ageing) -> None:
        self._ageing = ageing
        self._known: dict[Key, Head] = {}
        self._ready: list[tuple[int, float, str]] = []
        # The same by age, if anything ages.
        self._aged: list[tuple[float, float, str, int]] = []
        self._coming: list[tuple[float, str, int]] = []

    def __len__(self) -> int:
        return len(self._known)

    def clear(self) -> None:
        """Forget all slots."""
        self._known, self._ready, self._aged, self._coming = {}, [], [], []

    def __contains__(self, key: Key) -> bool:
        return key in self._known

    def put(self, key: Key, head: Head) -> None:
        """A slot has this head."""
        known = self._known.get(key)
        if known is not None and known[1:] == head[1:]:
            return
        self._known[key] = head
        heapq.heappush(self._coming, (head.due_at, *key))
        if max(len(self._coming) + len(self._ready), len(self._aged)) > 2 * len(self._known) + SPARE:
            self._ready, self._aged = [], []
            self._coming = sorted((head.due_at, *key) for key, head in self._known.items())

    def pop_due(self, key: Key, now: float) -> Head | None:
        """Hand out this slot's head, if one is known and due."""
        head = self._known.get(key)
        if head is None or head.due_at > now:
            return None
        return self._known.pop(key)

    def pop(self, count: int, now: float, *, by_age: bool = False) -> list[Ranked]:
        """Hand out up to `count` slots whose heads are due, in order."""
        self._ripen(now)
        found: list[Ranked] = []
        while by_age and self._aged and len(found) < count:
            _, due_at, queue, priority = heapq.heappop(self._aged)
            if self._holds((queue, priority), due_at):
                found.append(Ranked(-priority, due_at, queue, self._known.pop((queue, priority))))
        while self._ready and len(found) < count:
            rank, due_at, queue = heapq.heappop(self._ready)
            key = queue, -rank
            if self._holds(key, due_at):
                found.append(Ranked(rank, due_at, queue, self._known.pop(key)))
        return found

    def any_due(self, now: float) -> bool:
        """Whether any slot's head is due."""
        self._ripen(now)
        while self._ready and not self._holds((self._ready[0][2], -self._ready[0][0]), self._ready[0][1]):
            heapq.heappop(self._ready)
        return bool(self._ready)

    def count_due(self, now: float) -> int:
        """About how many slots' heads are due: never too few."""
        self._ripen(now)
        return len(self._ready)

    @property
    def next_at(self) -> float | None:
        """When the next of the heads that are not due yet will be; None if there is none."""
        while self._coming and not self._holds(self._coming[0][1:], self._coming[0][0]):
            heapq.heappop(self._coming)
        return self._coming[0][0] if self._coming else None

    def _ripen(self, now: float) -> None:
        while self._coming and self._coming[0][0] <= now:
            due_at, queue, priority = heapq.heappop(self._coming)
            if self._holds((queue, priority), due_at):
                heapq.heappush(self._ready, (-priority, due_at, queue))
                if self._ageing.on:
                    age = due_at - priority * self._ageing.of(queue)
                    heapq.heappush(self._aged, (age, due_at, queue, priority))

    def _holds(self, key: Key, due_at: float) -> bool:
        head = self._known.get(key)
        return head is not None and head.due_at == due_at
