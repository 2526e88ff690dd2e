"""Steps of a worker by hand: what its claims take, and in which order, one after another."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pgqueue.job import Claim
from pgqueue.store import execute, jobs
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.offer import Answer
from pgqueue.worker.claiming.served import Served
from pgqueue.worker.selection import ALL, Selection
from tests.factories import Conn, enlist, success


class Steps:
    """A worker that claims when it is told to, and settles what it claimed before."""

    def __init__(self, conn: Conn, selection: Selection = ALL, ageing: Ageing | None = None) -> None:
        self._conn = conn
        self._worker = enlist(conn)
        self.served = Served(selection, ageing or Ageing(None), poll=0.0, burst=True)
        self._held: Sequence[Claim] = ()

    def claim(self, limit: int = 1) -> list[Claim]:
        """The next claims."""
        now = time.monotonic()
        offer = self.served.offer(self._conn, now, limit, going=True, due=True, searching=True)
        settled = [success(claim) for claim in self._held]
        step = execute(
            self._conn, jobs.step(self._worker, settled, offer.slots, offer.lag, limit, ordered=offer.ordered)
        )
        full = 0 < limit <= len(step.claims)
        self.served.claimed(Answer(step, time.monotonic(), 0.0, len(settled), full))
        self._held = step.claims
        return step.claims
