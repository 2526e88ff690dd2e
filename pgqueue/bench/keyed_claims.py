"""What one claim of keyed jobs costs a worker, timed one by one; see claiming.py for those without keys."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pgqueue.bench.claiming import BATCH, NOOP, WARM_UP, Claimant
from pgqueue.job import Claim, NewJob
from pgqueue.store import enqueueing, execute
from pgqueue.store import keyed as store_keyed
from pgqueue.worker.claiming.keyed import Keyed, KeyedAnswer
from pgqueue.worker.selection import select


class KeyedClaimant(Claimant):
    """Claims keyed jobs of the queue `default`, and settles without running anything."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, ["default"])
        self._keyed = Keyed(select(["default"]))

    def step(self, limit: int) -> float:
        """Settle what it holds, then claim the next; the milliseconds of the claim."""
        super().step(0)
        if not limit:
            return 0.0
        began = time.perf_counter()
        slots, look = self._keyed.offer(time.monotonic(), searching=not self._keyed.due(time.monotonic()))
        visits = self._keyed.visits(limit)
        statement = store_keyed.claim(self._worker, 0, slots, limit, free=limit, visits=visits, look=look)
        sent = time.perf_counter()
        found = execute(self.conn, statement)
        ended = time.perf_counter()
        self._keyed.answered(KeyedAnswer(found, time.monotonic(), ended - sent), limit)
        self._held = found.step.claims
        if found.unadopted:
            execute(self.conn, store_keyed.adopt())
        return (ended - began) * 1000

    def take(self, count: int) -> None:
        """Hold so many jobs, however many looks that takes."""
        held: list[Claim] = []
        for _ in range(1000):
            self._held = []
            self.step(count - len(held))
            held += self._held
            if len(held) == count:
                self._held = []
                return
        raise RuntimeError(f"{len(held)} of {count} jobs could be claimed")

    def leave(self) -> None:
        """Go as a worker that hangs: what it took stays taken."""
        self.conn.close()


def hold_key(dsn: str, key: str) -> dict[str, Any]:
    """Take one job of a key, and never give it back."""
    holder = KeyedClaimant(dsn)
    execute(holder.conn, enqueueing.enqueue(NewJob(NOOP, [0], limit_key=key)))
    holder.take(1)
    holder.leave()
    return {}


def claims_beside(shapes: Mapping[str, tuple[str, int]], cycles: int) -> dict[str, Any]:
    """Time `cycles` steps in each database, by turns; of jobs in so many keys, or without any if they are 0.

    What was claimed is enqueued anew between the steps: a table stays as full as it was.
    """
    claimants = {
        name: KeyedClaimant(dsn) if keys else Claimant(dsn, ["default"]) for name, (dsn, keys) in shapes.items()
    }
    times: dict[str, list[float]] = {name: [] for name in shapes}
    held: dict[str, int] = dict.fromkeys(shapes, 0)
    for cycle in range(-WARM_UP, cycles):
        for name, claimant in claimants.items():
            cost = claimant.step(BATCH)
            if cycle >= 0:
                times[name].append(cost)
                held[name] += claimant.held
            keys = shapes[name][1]
            again = [NewJob(NOOP, [n], limit_key=f"other-{n % keys}" if keys else None) for n in range(claimant.held)]
            execute(claimant.conn, enqueueing.enqueue_many(again))
    for claimant in claimants.values():
        claimant.close()
    return {"times": times, "held": held}
