"""Pages of rows in order of their names, among which others' are: neither they nor their names come out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")
P = TypeVar("P")
# Rows of a step, and steps, in which the rows of one tenant are looked for.
STEP, MOST_STEPS = 500, 20


def behind(
    rows: Callable[[P, int], list[R]], place: Callable[[R], P], sees: Callable[[R], bool] | None, after: P, limit: int
) -> tuple[list[R], P | None]:
    """Up to `limit` rows that somebody sees, and the place behind which to go on, None at the end.

    That place is of a row that is shown: one of another tenant would tell a name. `sees` is None for who sees all.
    """
    found: list[R] = []
    most = limit + 1 if sees is None else max(STEP, limit + 1)
    for _ in range(MOST_STEPS):
        there = rows(after, most)
        found += there if sees is None else filter(sees, there)
        if len(found) > limit or len(there) < most or sees is None:
            break
        after = place(there[-1])
    return found[:limit], place(found[limit - 1]) if len(found) > limit else None
