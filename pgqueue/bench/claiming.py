"""What one claim costs a worker: steps with its own lower bounds, timed one by one, and their buffers counted."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.job import Claim, NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.store import enqueueing, execute, jobs, workers
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.offer import Answer, Offer
from pgqueue.worker.claiming.served import Served
from pgqueue.worker.selection import select

NOOP = "pgqueue.bench.tasks:nothing"
BATCH = 50
LEASE = timedelta(hours=2)
WARM_UP = 3
POLL = 5.0
AGEING = 600.0


class Claimant:
    """A worker that claims and settles without running anything."""

    def __init__(self, dsn: str, queues: Sequence[str]) -> None:
        self.conn = psycopg.connect(dsn, autocommit=True)
        self._worker = secrets.randbits(62) + 1
        self._served = Served(select(queues or None), Ageing(AGEING), poll=POLL, burst=False)
        self._held: list[Claim] = []
        execute(self.conn, workers.enlist(self._worker, "bench", 1, queues, "raw", 1, LEASE))

    def step(self, limit: int) -> float:
        """Settle what it holds and claim the next; the milliseconds of the statements."""
        began = time.perf_counter()
        offer = self._offer(limit) if limit else Offer([])
        done = [Settlement(claim.id, claim.claim, Move.SUCCEED, "succeeded") for claim in self._held]
        statement = jobs.step(self._worker, done, offer.slots, offer.lag, limit, ordered=offer.ordered)
        sent = time.perf_counter()
        found = execute(self.conn, statement)
        ended = time.perf_counter()
        self._held = found.claims
        if limit:
            full = len(found.claims) >= limit
            self._served.claimed(Answer(found, time.monotonic(), ended - sent, len(done), full))
        return (ended - began) * 1000

    def _offer(self, limit: int) -> Offer:
        return self._served.offer(self.conn, time.monotonic(), limit, going=True, due=True, searching=False)

    @property
    def held(self) -> int:
        """How many jobs the last step claimed."""
        return len(self._held)

    def buffers(self, limit: int) -> int:
        """Buffers that a claim touches, as EXPLAIN counts them; it is undone."""
        offer = self._offer(limit)
        statement = jobs.step(self._worker, [], offer.slots, offer.lag, limit, ordered=offer.ordered)
        with self.conn.transaction(force_rollback=True):
            cursor = psycopg.RawCursor(self.conn)
            rows = cursor.execute(f"explain (analyze, buffers, format json) {statement.sql}", statement.params)
            (plan,) = rows.fetchone() or ("[]",)
        self._served.failed()
        top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
        return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])

    def close(self) -> None:
        """Settle what it holds, and go; a second time does nothing."""
        if self.conn.closed:
            return
        self.step(0)
        execute(self.conn, workers.discharge(self._worker, clean=True))
        self.conn.close()


def claims(shapes: Mapping[str, tuple[str, Sequence[str]]], cycles: int) -> dict[str, Any]:
    """Time `cycles` steps in each database, by turns, so that whatever else the machine does hits all alike.

    What was claimed is enqueued anew between the steps: a table stays as full as it was.
    """
    claimants = {name: Claimant(dsn, queues) for name, (dsn, queues) in shapes.items()}
    times: dict[str, list[float]] = {name: [] for name in shapes}
    for cycle in range(-WARM_UP, cycles):
        for name, claimant in claimants.items():
            cost = claimant.step(BATCH)
            if cycle >= 0:
                times[name].append(cost)
            queue = shapes[name][1][cycle % len(shapes[name][1])]
            execute(claimant.conn, enqueueing.enqueue_many([NewJob(NOOP, [0], queue=queue)] * claimant.held))
    buffers = {name: claimant.buffers(BATCH) for name, claimant in claimants.items()}
    for claimant in claimants.values():
        claimant.close()
    return {"times": times, "buffers": buffers}


def bounded_loop(dsn: str, count: int, batch: int) -> dict[str, Any]:
    """Settle and claim, as a worker does it and as fast as it goes, until all jobs have ended: each step's time."""
    claimant = Claimant(dsn, ["default"])
    times: list[float] = []
    settled = 0
    while settled < count:
        times.append(claimant.step(batch))
        settled += claimant.held
    claimant.close()
    return {"times": times, "count": settled}
