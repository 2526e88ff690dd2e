"""Lower bounds: where in each slot the next claim begins, so that it does not walk the dead entries before it.

While another transaction holds the horizon, rows that were claimed and settled stay in the index as dead entries, at
the head of each slot; a claim that began there would walk all of them. So the next claim begins behind the last row
that was claimed. Jobs that commit late, or are retried, may lie below the bound: after a batch that came back short
it is pulled back by LAG, and unbounded scans run as often as they are worth it (ration.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.store.jobs import Slot
from pgqueue.worker.claiming.ration import Ration

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
PRIORITIES = range(9, -1, -1)
# Most transactions that enqueue commit within this; the others are found by the unbounded scans.
LAG = timedelta(seconds=1)

Bound = tuple[datetime, UUID]


class Bounds:
    """All slots of a few queues with their lower bounds. Told of each claim's answer and cost; decides nothing else."""

    def __init__(self, queues: Sequence[str]) -> None:
        self._bounds: dict[tuple[str, int], Bound] = {}
        self._short = True
        self._ration = Ration()
        self._unbounded = True
        self.serve(queues)

    @property
    def queues(self) -> list[str]:
        """The queues that are claimed from."""
        return list(dict.fromkeys(queue for queue, _ in self._bounds))

    @property
    def look_below_at(self) -> float | None:
        """The monotonic time to look at what the last claim left out; None if it left out nothing."""
        return None if self._unbounded else self._ration.next_at

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
        self._unbounded = self._ration.allows(at)
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
        self._ration.spent(cost, settled + len(claims), unbounded=self._unbounded, at=at)
