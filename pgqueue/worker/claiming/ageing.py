"""Ageing: now and then a claim ranks slots by how long their heads have waited, so that low priorities do not starve.

In such a claim a slot's place is when its head fell due, less its priority times the ageing: a level of priority is
worth so much waiting. No row is rewritten. Counted are claims that came back full, for each share by itself
(shares.py); after a short one nothing waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

# One of so many full claims is by age: what one more look at the heads costs is spread over them.
EVERY = 8


class Ageing:
    """`seconds` are what a level of priority is worth, None if nothing ages; `said` is what a queue's settings say."""

    def __init__(self, seconds: float | None, said: Callable[[str], float | None] = lambda _: None) -> None:
        self._seconds = seconds
        self._said = said
        # Full claims since one that was by age, by share.
        self._full: Counter[int] = Counter()
        self._by_age: frozenset[int] = frozenset()

    @property
    def on(self) -> bool:
        """Whether anything ages."""
        return self._seconds is not None

    def of(self, queue: str) -> float:
        """What a level of priority is worth in this queue."""
        return self._said(queue) or self._seconds or 0.0

    def begin(self) -> frozenset[int]:
        """A claim begins; the shares whose slots it is to rank by age."""
        if self.on:
            self._by_age = frozenset(share for share, full in self._full.items() if full >= EVERY - 1)
        return self._by_age

    def claimed(self, shares: Iterable[int], *, full: bool) -> None:
        """The claim was answered with jobs of these shares; `full` is whether there may be more."""
        if full:
            for share in set(shares):
                self._full[share] = 0 if share in self._by_age else self._full[share] + 1
