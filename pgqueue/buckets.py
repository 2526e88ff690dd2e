"""Buckets of durations, the same for tallies and every metric: 24 bounds from a millisecond to a day.

Each bound is about 2.2 times the one before. A quantile is looked for within its bucket as if durations lay there ever
denser towards the fuller one of its neighbours, on that logarithmic scale: it is off by less than the width of a bucket
whatever they are, and by a few percent as a rule.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

# Seconds; a bucket holds what is longer than the bound before it, and not longer than its own. One more has the rest.
BOUNDS = (
    0.001,
    0.0022,
    0.0049,
    0.011,
    0.024,
    0.053,
    0.12,
    0.26,
    0.57,
    1.3,
    2.8,
    6.2,
    14.0,
    30.0,
    67.0,
    150.0,
    330.0,
    720.0,
    1600.0,
    3500.0,
    7800.0,
    17_000.0,
    38_000.0,
    86_400.0,
)
BUCKETS = len(BOUNDS) + 1
# How much one bound is longer than the one before, at most: no quantile is further off.
WIDEST = max(after / before for before, after in pairwise(BOUNDS))


def bucket_of(seconds: float) -> int:
    """The number of the bucket of a duration, from 0."""
    return bisect_left(BOUNDS, seconds)


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Seconds below which this share of the durations lies; None if there are none.

    What is longer than a day counts as a day, what is shorter than a millisecond as half of one or more.
    """
    total = sum(counts)
    if not total:
        return None
    wanted, below = share * total, 0
    for number, count in enumerate(counts):
        if count and below + count >= wanted:
            low, high = _edges(number)
            before = counts[number - 1] if number else 0
            after = counts[number + 1] if number + 1 < len(counts) else 0
            return float(low * (high / low) ** _place(before, count, after, max(0.0, (wanted - below) / count)))
        below += count
    return BOUNDS[-1]


def _place(before: int, count: int, after: int, share: float) -> float:
    """How far into a bucket a share of it reaches, where its density changes evenly from one edge to the other."""
    low, high = math.sqrt(before * count), math.sqrt(after * count)
    if low == high:
        return share
    return (math.sqrt(low * low + (high * high - low * low) * share) - low) / (high - low)


def _edges(number: int) -> tuple[float, float]:
    if number >= len(BOUNDS):
        return BOUNDS[-1], BOUNDS[-1]
    return (BOUNDS[number - 1] if number else BOUNDS[0] / 2), BOUNDS[number]


def mean(counts: Sequence[int]) -> float | None:
    """About the mean of the durations, each taken for the middle of its bucket, as mean_of.sql; None if there are none.

    Off by less than a factor of 1.5.
    """
    total = sum(counts)
    if not total:
        return None
    return (
        sum(
            count * math.sqrt(low * high)
            for count, (low, high) in zip(counts, map(_edges, range(len(counts))), strict=True)
            if count
        )
        / total
    )
