"""In place of ears, where another driver's connection waits: nothing is heard, so it looks again and again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pgqueue.hearing.waiter import Waiter

# Seconds between two looks: first soon, in the end so many.
FIRST_PACE, LAST_PACE = 0.02, 0.25


class Deaf:
    """As Ears, of one who waits. `pace` is how long until the next look."""

    def __init__(self) -> None:
        self.pace = FIRST_PACE / 2

    def add(self, waiter: Waiter) -> None:
        """Nothing: nobody tells it anything."""

    def remove(self, waiter: Waiter, ids: Collection[str]) -> None:
        """It waits for these jobs no more."""
        waiter.pending.difference_update(ids)

    def take(self, waiter: Waiter) -> set[str]:
        """Nothing."""
        return waiter.take()

    def begin(self, _conn: Any) -> bool:
        """Never: it hears nothing."""
        self.pace = min(2 * self.pace, LAST_PACE)
        return False
