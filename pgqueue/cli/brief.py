"""Cells for a narrow terminal: ids as far as they must be typed, times as far as they are not obvious."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from uuid import UUID

# An id of the database's has fewer digits only by chance: workers' have up to 19.
LONG_NUMBER = 10**12
# So much of an id is shown at least: of a job's all that tells the moment, of a worker's half of the digits of a phone.
LEAST_UUID, LEAST_NUMBER = 13, 6


def brief(rows: Sequence[Sequence[object]], texts: Sequence[Sequence[str]]) -> list[list[str]]:
    """The texts of the rows, with briefer ones for ids and times."""
    columns = [list(column) for column in zip(*texts, strict=True)]
    now = datetime.now().astimezone()
    for n, cells in enumerate(zip(*rows, strict=True)):
        if all(isinstance(cell, UUID | None) for cell in cells):
            columns[n] = _prefixes(columns[n], LEAST_UUID)
        elif all(type(cell) is int and cell >= LONG_NUMBER for cell in cells):
            columns[n] = _prefixes(columns[n], LEAST_NUMBER)
        else:
            columns[n] = [
                moment(cell, now) if isinstance(cell, datetime) else text
                for cell, text in zip(cells, columns[n], strict=True)
            ]
    return [list(row) for row in zip(*columns, strict=True)]


def moment(value: datetime, now: datetime) -> str:
    """A time without what it shares with `now`: the day, or the year."""
    try:
        local = value.astimezone(now.tzinfo)
    except (OverflowError, ValueError):
        return value.strftime("%Y-%m-%d")
    if local.date() == now.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%m-%d %H:%M" if local.year == now.year else "%Y-%m-%d")


def _prefixes(ids: Sequence[str], least: int) -> list[str]:
    """Of each id as much as tells it from the others; commands take that for the id."""
    different = sorted(set(ids))
    shared = [_shared(one, other) for one, other in pairwise(different)]
    longest = max([least, *(each + 1 for each in shared)])
    return [each[:longest].rstrip("-") for each in ids]


def _shared(one: str, other: str) -> int:
    """How many characters they begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
