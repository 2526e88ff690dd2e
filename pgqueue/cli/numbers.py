"""Numbers that say what they are: exact ones as they are, estimates as such."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

DIGITS = 2


class Estimate(int):
    """A number that nobody counted to the end: shown with two digits, as `≈ 3.1 M`."""

    def __str__(self) -> str:
        shown = round(int(self), DIGITS - len(repr(int(self))))
        return f"≈ {shown / 1_000_000:g} M" if shown >= 1_000_000 else f"≈ {shown:,}"


class Told(Protocol):
    """A row that names those of its numbers which are estimates."""

    @property
    def estimated(self) -> Collection[str]: ...


def number(row: Told, name: str) -> int | None:
    """A number of a row, for a table."""
    value: int | None = getattr(row, name)
    return Estimate(value) if value is not None and name in row.estimated else value
