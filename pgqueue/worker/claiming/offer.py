"""What a step is offered to claim from, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from pgqueue.job import Claim
from pgqueue.store.jobs import Slot, Step


class Offer(NamedTuple):
    """Slots, by how much their bounds are to be pulled back, and whether they come in the order of their heads."""

    slots: Sequence[Slot]
    lag: timedelta = timedelta(0)
    ordered: bool = True


NOTHING = Offer(())


class Answer(NamedTuple):
    """What a step answered at monotonic time `at`, after `cost` seconds; it settled so many outcomes.

    `full` is whether there may be more to claim in the slots that it was offered.
    """

    step: Step
    at: float
    cost: float
    settled: int
    full: bool

    @property
    def claims(self) -> list[Claim]:
        """All rows that it claimed."""
        return self.step.claims + self.step.expired
