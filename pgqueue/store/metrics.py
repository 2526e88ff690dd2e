"""What is told of the whole database to who watches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pgqueue.store.statement import Statement, query


class Told(NamedTuple):
    """One number: of which metric, the value of its label if it has one, and the number."""

    metric: str
    label: str
    value: float


def numbers() -> Statement[list[Told]]:
    """Numbers about workers, schedules and the server; none of them needs a look at jobs. O(workers + schedules)."""
    return Statement(query("metrics"), (), lambda rows: [Told._make(row) for row in rows])


class Pace(NamedTuple):
    """How fast a queue is worked off: the mean seconds of an attempt, None if nothing is known of it, and its slots."""

    queue: str
    seconds: float | None
    slots: float


def paces(queues: Sequence[str]) -> Statement[list[Pace]]:
    """How fast these queues are worked off. Reads 2,000 attempts or 20,000 tallies; O(queues + workers)."""
    return Statement(query("backlogs"), (list(queues),), lambda rows: [Pace._make(row) for row in rows])
