"""How full queues were, in steps of time: few rows, whatever was noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pgqueue.store.statement import Statement, query

# Rows that are looked at: five queues' 48 hours, minute by minute, and hours and days beyond.
BUDGET = 50_000


@dataclass(frozen=True, slots=True)
class Past:
    """How full queues were in a step of time that begins at `at`: averages, and `oldest` the longest wait, seconds.

    `entered` is how many jobs came in, None if nobody knows, of `seconds` in all.
    """

    at: datetime
    ready: float
    later: float
    running: float
    dead: float
    oldest: float | None
    entered: float | None
    seconds: float


def past(
    since: datetime, until: datetime, step: timedelta, queue: str | None = None, budget: int = BUDGET
) -> Statement[list[Past]]:
    """How full all queues were together, or one, oldest first. Walks depths_pkey or depths_queue; O(budget)."""
    params = (since, until, queue, step.total_seconds(), budget)
    return Statement(query("depth_history"), params, lambda rows: [Past(*row) for row in rows])
