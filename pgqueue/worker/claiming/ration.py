"""The ration: how often a claim may begin at the very beginning of its slots, and walk the dead entries there.

Always while that is cheap, and at most a twentieth of the time when it is not. What is compared is the cost of a row.
"""

from __future__ import annotations

# An expensive unbounded scan is followed by this many times its excess cost without one.
RATION = 20
# What a row of a step costs varies so much by itself; and what costs less than this, in seconds, is cheap.
TOLERANCE = 1.2
NEGLIGIBLE = 0.001
# What a step costs by itself, in rows that it settles or claims.
STEP_ROWS = 20
# But no longer than this: what looked expensive may have waited for a lock, and jobs below the bounds wait with it.
LONGEST_REST = 10.0
# Now and then a bounded scan although unbounded ones are cheap, to know what a cheap one costs.
SAMPLE_EVERY = 16


class Ration:
    """Told what each claim cost; decides whether the next one may be unbounded. Times are monotonic seconds."""

    def __init__(self) -> None:
        # Of a row, in seconds.
        self._bounded_cost: float | None = None
        self._last_cost = 0.0
        self._claims = 0
        self.next_at = 0.0

    def allows(self, at: float) -> bool:
        """Whether the claim that is made now may be unbounded."""
        self._claims += 1
        return at >= self.next_at and self._claims % SAMPLE_EVERY != 1

    def spent(self, cost: float, rows: int, *, unbounded: bool, at: float) -> None:
        """A claim took `cost` seconds, for so many rows that it wrote."""
        rows += STEP_ROWS
        cost /= rows
        if unbounded:
            # Twice in a row: one that was dear alone met a busy machine, and no dead rows.
            steady, self._last_cost = min(cost, self._last_cost), cost
            usual = self._bounded_cost
            excess = 0.0 if usual is None else (steady - TOLERANCE * usual) * rows
            self.next_at = at + (min(RATION * excess, LONGEST_REST) if excess > NEGLIGIBLE else 0.0)
        elif self._bounded_cost is None:
            self._bounded_cost = cost
        else:
            self._bounded_cost = 0.8 * self._bounded_cost + 0.2 * min(cost, 4 * self._bounded_cost)
