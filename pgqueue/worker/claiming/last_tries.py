"""Last tries: claims that cannot be tried again are never held ahead of a free slot.

If this worker vanishes, all that it holds counts as begun, because nobody knows what had. A job that has another
attempt loses one of them by that; one that has none, or may run at most once, would be dead without having run. So of
those only as many are claimed as there are slots to begin them at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.job import Claim
from pgqueue.worker.claiming.slots import Slots

# A smaller share of a batch than this is none: the few that come are given back.
_LEAST_SHARE = 0.01
_UNKNOWN = -1


class LastTries:
    """Told of every batch of claims; bounds the next one by how many last tries there were in the latest."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._share = 0.0
        # What tasks say, by target: 0 that there is one attempt at most.
        self._most: dict[str, int | None] = {}

    def limit(self, room: int) -> int:
        """How many jobs to claim where there is room for so many."""
        if not self._share:
            return room
        return min(room, int(self._free() / self._share))

    def split(self, claims: Sequence[Claim]) -> tuple[list[Claim], list[Claim]]:
        """Those to hand to the executor, in their order, and last tries that would wait there: to be given back."""
        free = self._free()
        kept: list[Claim] = []
        back: list[Claim] = []
        count = 0
        for claim in claims:
            if self._may_follow(claim):
                kept.append(claim)
                continue
            count += 1
            (kept if len(kept) < free else back).append(claim)
        if claims:
            found = count / len(claims)
            # One batch without any does not mean that there are no more.
            self._share = found if found >= self._share else (found + self._share) / 2
            if self._share < _LEAST_SHARE:
                self._share = 0.0
        return kept, back

    def _free(self) -> int:
        return max(0, self._slots.own - self._slots.load())

    def _may_follow(self, claim: Claim) -> bool:
        """Whether another attempt may follow; a task that is not known yet allows it."""
        most = self._most.get(claim.target, _UNKNOWN)
        if most == _UNKNOWN:
            terms = self._slots.terms(claim.target)
            if terms is None:
                return claim.max_attempts is None or claim.attempt < claim.max_attempts
            most = self._most[claim.target] = 0 if terms.at_most_once else terms.max_attempts
        if claim.attempt == 1 and claim.max_attempts is None and claim.terms is None and most is None:
            # Almost every claim: a call less.
            return True
        return most != 0 and claim.attempt < claim.most_attempts(most)
