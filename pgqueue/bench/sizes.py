"""How much is measured: in full, on a user's own database, or only to see that everything works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Counts of jobs and samples; `enqueue_seconds` is how long each client enqueues one by one.

    `ready` are the numbers of waiting jobs under which claims are timed, the first of them the one that the others are
    compared with; `crowd` is how many jobs of others stand beside; `queues` are how many queues one worker serves.
    `keyed` jobs are drained in lanes, `behind` wait for a full key, `tenant` are those of a large tenant, for
    `rated` seconds a rate is kept, and so many `schedules` are due at one moment. 0 leaves a measure out.
    """

    enqueue_seconds: float
    bulk: int
    drain: int
    workers: tuple[int, ...]
    cost_jobs: int
    pickups: int
    polled: int
    ready: tuple[int, ...]
    crowd: int
    history: int
    queues: tuple[int, ...]
    claims: int
    horizon: int
    memory: int
    keyed: int
    behind: int
    tenant: int
    rated: float
    schedules: int


FULL = Sizes(
    enqueue_seconds=3.0,
    bulk=100_000,
    drain=200_000,
    workers=(1, 2, 4, 8, 16),
    cost_jobs=20_000,
    pickups=500,
    polled=200,
    ready=(1_000, 100_000, 1_000_000, 5_000_000),
    crowd=1_000_000,
    history=10_000_000,
    queues=(50, 100, 1_000, 10_000),
    claims=300,
    horizon=500_000,
    memory=1_000_000,
    keyed=200_000,
    behind=100_000,
    tenant=1_000_000,
    rated=60.0,
    schedules=10_000,
)
SMALL = Sizes(
    enqueue_seconds=1.0,
    bulk=20_000,
    drain=20_000,
    workers=(1, 2, 4),
    cost_jobs=5_000,
    pickups=100,
    polled=0,
    ready=(1_000, 100_000),
    crowd=50_000,
    history=50_000,
    queues=(50, 1_000),
    claims=100,
    horizon=50_000,
    memory=0,
    keyed=20_000,
    behind=10_000,
    tenant=20_000,
    rated=10.0,
    schedules=2_000,
)
QUICK = Sizes(
    enqueue_seconds=0.2,
    bulk=2_000,
    drain=2_000,
    workers=(1, 2),
    cost_jobs=500,
    pickups=20,
    polled=0,
    ready=(1_000, 5_000),
    crowd=2_000,
    history=2_000,
    queues=(5,),
    claims=20,
    horizon=5_000,
    memory=5_000,
    keyed=2_000,
    behind=1_000,
    tenant=1_000,
    rated=2.0,
    schedules=200,
)
