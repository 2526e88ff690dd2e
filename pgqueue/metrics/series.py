"""What is counted by queue and target, of so many at most: names come from producers, and a series costs everywhere.

The first 200 pairs are counted by themselves; then as target `other` of their queue; after 200 queues as queue `other`.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import NamedTuple

from pgqueue.buckets import BUCKETS, bucket_of
from pgqueue.printable import in_one_line

MOST = 200
OTHER = "other"
# Of a name as a label.
_LONGEST = 200

Pair = tuple[str, str]


class Example(NamedTuple):
    """The last of a bucket whose trace is known: its trace, its seconds, and when that was."""

    trace: str
    seconds: float
    at: float


class Told(NamedTuple):
    """How many are in each bucket, their sum, and examples by the number of the bucket."""

    counts: list[int]
    total: float
    examples: dict[int, Example]


class Durations:
    """A histogram of seconds."""

    __slots__ = ("_counts", "_examples", "_total")

    def __init__(self) -> None:
        self._counts = [0] * BUCKETS
        self._total = 0.0
        self._examples: dict[int, Example] = {}

    def add(self, seconds: float, trace: str | None = None) -> None:
        """Count one."""
        bucket = bucket_of(seconds)
        self._counts[bucket] += 1
        self._total += seconds
        if trace is not None:
            self._examples[bucket] = Example(trace, seconds, time.time())

    def told(self) -> Told:
        """What was counted, as it is now."""
        return Told(list(self._counts), self._total, dict(self._examples))


class Counted:
    """What is counted of one pair."""

    __slots__ = ("outcomes", "run", "wait")

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = {}
        self.run = Durations()
        self.wait = Durations()


class Series:
    """What is counted of all pairs; used under a lock of its owner's."""

    def __init__(self) -> None:
        self._found: dict[Pair, Counted] = {}
        self._queues: set[str] = set()

    def of(self, queue: str, target: str) -> Counted:
        """What is counted of this pair, or of those that are counted together."""
        if (found := self._found.get((queue, target))) is not None:
            return found
        return self._found.setdefault(bounded((queue, target), self._found, self._queues), Counted())

    def all(self) -> list[tuple[Pair, Counted]]:
        """Every pair with what was counted of it."""
        return list(self._found.items())


def bounded(pair: Pair, found: Collection[Pair], queues: set[str]) -> Pair:
    """As what a pair is counted, beside those that were found before; remembers its queue."""
    queue, target = in_one_line(pair[0], _LONGEST), in_one_line(pair[1], _LONGEST)
    if (queue, target) not in found and len(found) >= MOST:
        target = OTHER
        if queue not in queues and len(queues) >= MOST:
            queue = OTHER
    queues.add(queue)
    return queue, target
