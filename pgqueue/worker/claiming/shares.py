"""Shares: which of a worker's queues is claimed from first, so that over time each has its weight's share of claims.

Each step claims from one after another, beginning with the one that has had least for its weight. So while all have
jobs that are due, what each has had stays within one step's claims of its share. Who had nothing to claim saves
nothing up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from pgqueue.job import Claim
from pgqueue.worker.selection import Selection


class Shares:
    """Told of what each step claimed; ranks queues for the next, lowest first. Without weights all rank alike."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self.weighted = selection.weights is not None
        self._weights = selection.weights or (1,)
        self._spent = [0.0] * len(self._weights)
        # By group, for the next claim.
        self._ranks = list(range(len(self._weights)))
        # The groups that the last claim took from.
        self.last: Collection[int] = ()

    @property
    def groups(self) -> int:
        """How many have a share of their own."""
        return len(self._weights)

    def group_of(self, queue: str) -> int:
        """Whose share this queue's claims are."""
        return (self._selection.group_of(queue) or 0) if self.weighted else 0

    def rank(self, group: int) -> int:
        """Where this one stands in the next claim."""
        return self._ranks[group]

    @property
    def order(self) -> Sequence[int]:
        """The groups, as the next claim ranks them."""
        return sorted(range(self.groups), key=self._ranks.__getitem__)

    def claimed(self, claims: Sequence[Claim], *, full: bool) -> None:
        """What a step claimed in the order of the ranks; `full` is whether there may be more."""
        if not self.weighted:
            self.last = (0,) if claims else ()
            return
        self.last = had = Counter(self.group_of(claim.queue) for claim in claims)
        if not full:
            # Nobody waits: what was had before is no matter.
            self._spent = [0.0] * self.groups
        elif had:
            self._spend(had)
        by_need = sorted(range(self.groups), key=lambda group: (self._spent[group], group))
        for rank, group in enumerate(by_need):
            self._ranks[group] = rank

    def _spend(self, had: Counter[int]) -> None:
        last = max(had, key=self._ranks.__getitem__)
        level = self._spent[last]
        for group in range(self.groups):
            if self._ranks[group] < self._ranks[last]:
                # It had no more: what it could have had is not owed to it.
                self._spent[group] = level
        for group, count in had.items():
            self._spent[group] += count / self._weights[group]
        least = min(self._spent)
        self._spent = [spent - least for spent in self._spent]
