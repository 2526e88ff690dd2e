"""Lower bounds: where in each slot the next claim begins, so that it does not walk the dead entries before it.

While another transaction holds the horizon, rows that were claimed and settled stay in the index as dead entries, at
the head of each slot; a claim that began there would walk all of them. So the next claim begins behind the last row
that was claimed. Jobs that commit late, or are retried, may lie below the bound: after a batch that came back short
it is pulled back by LAG, and unbounded scans run all the time while they are cheap, and at most a twentieth of the
time when they are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.store.jobs import Slot

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
PRIORITIES = range(9, -1, -1)
# Most transactions that enqueue commit within this; the others are found by the unbounded scans.
LAG = timedelta(seconds=1)
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

Bound = tuple[datetime, UUID]


class Bounds:
    """The slots of one worker with their lower bounds. Told of every claim's answer and cost; decides nothing else."""

    def __init__(self, queues: Sequence[str]) -> None:
        self._bounds: dict[tuple[str, int], Bound] = {}
        self._short = True
        # Of a row, in seconds.
        self._bounded_cost: float | None = None
        self._last_cost = 0.0
        self._next_unbounded = 0.0
        self._unbounded = True
        self._claims = 0
        self.serve(queues)

    @property
    def queues(self) -> list[str]:
        """The queues that are claimed from."""
        return list(dict.fromkeys(queue for queue, _ in self._bounds))

    @property
    def look_below_at(self) -> float | None:
        """The monotonic time to look at what the last claim left out; None if it left out nothing."""
        return None if self._unbounded else self._next_unbounded

    def described(self) -> dict[str, str]:
        """For people: each slot that has a bound, and that bound."""
        return {
            f"{queue}/{priority}": f"{run_at.isoformat()} {job_id}"
            for (queue, priority), (run_at, job_id) in list(self._bounds.items())
            if run_at != BEGINNING
        }

    def serve(self, queues: Sequence[str]) -> None:
        """Claim from these queues; bounds of those that stay are kept."""
        known = self._bounds
        slots = [(queue, priority) for priority in PRIORITIES for queue in queues]
        self._bounds = {slot: known.get(slot, (BEGINNING, FIRST_ID)) for slot in slots}
        self._whole = [Slot(*slot, BEGINNING, FIRST_ID) for slot in slots]

    def slots(self, at: float) -> tuple[list[Slot], timedelta]:
        """The slots for a claim at monotonic time `at`, and by how much their bounds are to be pulled back."""
        self._claims += 1
        self._unbounded = at >= self._next_unbounded and self._claims % SAMPLE_EVERY != 1
        if self._unbounded:
            return self._whole, timedelta(0)
        lag = LAG if self._short else timedelta(0)
        return [Slot(*slot, *bound) for slot, bound in self._bounds.items()], lag

    def claimed(
        self, claims: Sequence[Claim], *, short: bool, now: datetime, at: float, cost: float, settled: int = 0
    ) -> None:
        """What the claim answered: its rows, whether there were fewer than asked for, and the seconds it took.

        `settled` is how many outcomes the same step wrote: compared is what it took for each row.
        """
        self._short = short
        if short:
            self._bounds = dict.fromkeys(self._bounds, (now, LAST_ID))
        else:
            # In order of run_at and id within a slot: the last one wins.
            for claim in claims:
                self._bounds[claim.queue, claim.priority] = (claim.run_at, claim.id)
        rows = STEP_ROWS + settled + len(claims)
        cost /= rows
        if self._unbounded:
            # Twice in a row: one that was dear alone met a busy machine, and no dead rows.
            steady, self._last_cost = min(cost, self._last_cost), cost
            usual = self._bounded_cost
            excess = 0.0 if usual is None else (steady - TOLERANCE * usual) * rows
            self._next_unbounded = at + (min(RATION * excess, LONGEST_REST) if excess > NEGLIGIBLE else 0.0)
        elif self._bounded_cost is None:
            self._bounded_cost = cost
        else:
            self._bounded_cost = 0.8 * self._bounded_cost + 0.2 * min(cost, 4 * self._bounded_cost)
