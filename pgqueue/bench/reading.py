"""What is measured, and what a measurement found: values, no database."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pgqueue.bench.site import Site


class Key(NamedTuple):
    """A figure and whose it is: ("drain", "thread"), ("drain", "raw"), ("drain", the name of a peer)."""

    figure: str
    subject: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one round."""

    key: Key
    unit: str
    value: float


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to be done once a round, or `once` in the first; one run of it may find several figures."""

    name: str
    run: Callable[[Site], Sequence[Reading]]
    once: bool = False


Round = Mapping[Key, Reading]
# What could not be measured, by the name of its measure: the reason.
Missing = dict[str, str]


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some values, and how far they went."""

    median: float
    lowest: float
    highest: float


def spread(values: Iterable[float]) -> Spread | None:
    """The median with the lowest and the highest; None if there is no value."""
    found = list(values)
    return Spread(median(found), min(found), max(found)) if found else None


def values_of(rounds: Sequence[Round], key: Key) -> list[float]:
    """A figure's value in each round that has it."""
    return [found[key].value for found in rounds if key in found]


def ratios(rounds: Sequence[Round], key: Key, over: Key) -> list[float]:
    """A figure over another of the same round, in each round that has both: what slows a round slows the two."""
    both = [(found[key].value, found[over].value) for found in rounds if key in found and over in found]
    return [value / ceiling for value, ceiling in both if ceiling > 0]


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    found = sorted(values)
    return found[max(0, math.ceil(len(found) * share) - 1)]


def latencies(figure: str, subject: str, found: Sequence[float]) -> list[Reading]:
    """The usual three quantiles of milliseconds."""
    return [Reading(Key(f"{figure} p{share}", subject), "ms", quantile(found, share / 100)) for share in (50, 95, 99)]
