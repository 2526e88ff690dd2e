"""Rates: how fast queues fill and empty, and when they will be empty if it goes on so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pgqueue.store.statement import Statement

WITHIN = timedelta(minutes=5)
# A queue grows if more comes in than goes out, by so much, and there is more in it than before.
GROWING = 1.05
LEAST_GROWING = 10


@dataclass(frozen=True, slots=True)
class Rates:
    """How a queue got on in the last minutes: jobs a minute in and out, and seconds that attempts waited and ran.

    `before` is how many jobs there were some minutes ago. None is what nobody knows.
    """

    queue: str
    in_per_min: float | None = None
    out_per_min: float | None = None
    wait_p50: float | None = None
    wait_p95: float | None = None
    run_p50: float | None = None
    run_p95: float | None = None
    before: int | None = None

    def drain(self, ready: int) -> timedelta | None:
        """How long until no job waits, if all goes on as it did; None if that is not known, or never."""
        if self.in_per_min is None or self.out_per_min is None or self.out_per_min <= self.in_per_min:
            return None
        return timedelta(minutes=min(ready / (self.out_per_min - self.in_per_min), 1e8))

    def never_drains(self, ready: int) -> bool:
        """Whether jobs wait, and as many come in as go out, or more."""
        known = self.in_per_min is not None and self.out_per_min is not None
        return known and ready > 0 and self.drain(ready) is None

    def grows(self, ready: int) -> bool:
        """Whether more comes in than goes out, and more jobs wait than did."""
        if self.in_per_min is None or self.out_per_min is None or ready < LEAST_GROWING:
            return False
        more = self.before is None or ready > self.before
        return more and self.in_per_min > self.out_per_min * GROWING


def rates(within: timedelta = WITHIN) -> Statement[dict[str, Rates]]:
    """How fast each queue fills and empties. Looks at 20,000 jobs of each table, and 50,000 rows of tallies."""
    return Statement(_RATES, (within,), lambda rows: {row[0]: Rates(*row) for row in rows})


_RATES = """
select queue, in_per_min, out_per_min, wait_p50, wait_p95, run_p50, run_p95, before
from pgqueue.queue_rates($1::interval)
"""
