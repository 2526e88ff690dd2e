"""Shared heads: the heads of many queues, kept apart for each share, and handed out as the shares rank."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.heads import Head, Heads, Key, Ranked
from pgqueue.worker.claiming.shares import Shares


class SharedHeads:
    """As Heads, which it has one of for each share."""

    def __init__(self, shares: Shares, ageing: Ageing) -> None:
        self._shares = shares
        self._ageing = ageing
        self._parts = [Heads(ageing) for _ in range(shares.groups)]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __contains__(self, key: Key) -> bool:
        return key in self._part(key)

    def clear(self) -> None:
        """Forget all slots."""
        for part in self._parts:
            part.clear()

    def put(self, key: Key, head: Head) -> None:
        """A slot has this head."""
        self._part(key).put(key, head)

    def pop_due(self, key: Key, now: float) -> Head | None:
        """Hand out this slot's head, if one is known and due."""
        return self._part(key).pop_due(key, now)

    def pop(self, count: int, now: float, *, by_age: Collection[int]) -> list[Ranked]:
        """Hand out up to `count` slots whose heads are due, in order; those of the shares `by_age` by age."""
        found: list[Ranked] = []
        for group in self._shares.order:
            found += self._parts[group].pop(count - len(found), now, by_age=group in by_age)
        return found

    def in_order(self, slots: Iterable[Ranked], *, by_age: Collection[int]) -> list[Ranked]:
        """These slots as pop() would have handed them out."""
        if not by_age and not self._shares.weighted:
            return sorted(slots)

        def place(each: Ranked) -> tuple[Any, ...]:
            group = self._shares.group_of(each.queue)
            rank = self._shares.rank(group)
            return (rank, each.age(self._ageing)) if group in by_age else (rank, *each[:3])

        return sorted(slots, key=place)

    def any_due(self, now: float) -> bool:
        """Whether any slot's head is due."""
        return any(part.any_due(now) for part in self._parts)

    def count_due(self, now: float) -> int:
        """About how many slots' heads are due: never too few."""
        return sum(part.count_due(now) for part in self._parts)

    @property
    def next_at(self) -> float | None:
        """When the next of the heads that are not due yet will be; None if there is none."""
        return min((at for part in self._parts if (at := part.next_at) is not None), default=None)

    def _part(self, key: Key) -> Heads:
        return self._parts[self._shares.group_of(key[0])]
