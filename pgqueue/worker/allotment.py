"""Which of a worker's slots a database may use, where several share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Allotment(Protocol):
    """Which of the slots are this database's, where several share them."""

    # How to have the claim loop look, once it may have a slot that it wanted.
    wake: Callable[[], None]

    @property
    def slots(self) -> int:
        """How many it may use, by the last answer of ask()."""

    def ask(self, ahead: int) -> int:
        """How many it may use at this moment, if it claims so many jobs more than that."""

    def want(self, more: bool) -> None:
        """Whether it would use more than it may, as far as it knows."""
