"""A target as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pgqueue.bench.reading import Key


@dataclass(frozen=True, slots=True)
class Target:
    """`figure` is to be at least or at most `bound`, times `over` of the same round if that is given."""

    what: str
    figure: Key
    bound: float
    over: Key | None = None
    sense: Literal["at least", "at most"] = "at least"
    unit: str = ""

    @property
    def wanted(self) -> str:
        """The bound as people read it."""
        sign = "≥" if self.sense == "at least" else "≤"
        return f"{sign} {self.bound:g}{' ×' if self.over else ''}{f' {self.unit}' if self.unit else ''}"
