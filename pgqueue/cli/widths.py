"""Which columns of a table a terminal has room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pgqueue.cli.output import GAP, Columns, written

T = TypeVar("T")


def fitting(columns: Columns[T], rows: Sequence[T], spared: Sequence[str], room: int | None) -> Columns[T]:
    """The columns without as many of the `spared` ones as it takes, the first first; None is room for all."""
    kept = dict(columns)
    if room is None or not rows:
        return kept
    widths = {
        title: max(len(title), *(len(cell) for cell in cells))
        for title, column in columns.items()
        if any(cells := [written(column(row)) for row in rows])
    }
    for title in spared:
        shown = [widths[each] for each in kept if each in widths]
        if sum(shown) + GAP * (len(shown) - 1) <= room:
            break
        kept.pop(title, None)
    return kept
