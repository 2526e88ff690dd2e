"""How slots are dealt among databases: as evenly as what they want allows, and all of them if anybody wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Wish(NamedTuple):
    """What one database would use: `most` slots; `waits_since` is when it last got one, the longest ago comes first."""

    most: int
    waits_since: float


def dealt(slots: int, wishes: Sequence[Wish]) -> list[int]:
    """How many of the slots each may use, in the order of the wishes.

    Nobody gets more than it wishes, and nobody less than others while it wishes more (max-min fairness). What does not
    come out even goes to those that have waited longest. O(n log n).
    """
    given = [0] * len(wishes)
    # Those with the smallest wishes first: what they leave is for the rest.
    order = sorted(range(len(wishes)), key=lambda each: (wishes[each].most, -wishes[each].waits_since))
    for done, each in enumerate(order):
        given[each] = min(wishes[each].most, slots // (len(order) - done))
        slots -= given[each]
    return given
