"""A small tenant behind a large one: how many turns of all slots until its jobs have started."""

from __future__ import annotations

import math
import time

import pgqueue
from pgqueue.bench.arrivals import Arrivals
from pgqueue.bench.growth import said
from pgqueue.bench.idle_workers import idle_workers
from pgqueue.bench.program import ask_client
from pgqueue.bench.reading import Key, Measure, Reading, spread
from pgqueue.bench.site import Conn, Site
from pgqueue.bench.sizes import Sizes
from pgqueue.store import execute, queues

NAP = "pgqueue.bench.tasks:nap"
SLOTS, FEW = 8, 10
# Seconds that a job holds its slot.
SECONDS = 0.05
# The small tenant comes so often, each time after so many starts of the large one.
TIMES, BETWEEN = 10, 40
WORST = "worst"


def measures(site: Site) -> list[Measure]:
    """One, in the first round: to make a million jobs takes a while."""
    return [Measure("fair", _fair, once=True)] if site.sizes.tenant else []


def figure(sizes: Sizes) -> str:
    """The name of the figure."""
    return f"turns of {SLOTS} slots until {FEW} jobs behind {said(sizes.tenant)} of another key have started"


def _fair(site: Site) -> list[Reading]:
    with site.connect() as conn, Arrivals() as arrivals:
        execute(conn, queues.pause("default"))
        args = [arrivals.address, SECONDS]
        ask_client(
            1800, do="enqueue_keyed", dsn=site.dsn, count=site.sizes.tenant, keys=1, name="large", target=NAP, args=args
        )
        site.settle_down()
        with idle_workers(site, "thread", slots=SLOTS):
            execute(conn, queues.resume("default"))
            turns = [_turns(conn, arrivals, site.sizes.tenant + FEW * number) for number in range(TIMES)]
            # What is left would take the worker hours.
            execute(conn, queues.pause("default"))
    found = spread(turns)
    assert found is not None
    return [
        Reading(Key(figure(site.sizes), "median"), "turns", found.median),
        Reading(Key(figure(site.sizes), WORST), "turns", found.highest),
    ]


def _turns(conn: Conn, arrivals: Arrivals, first: int) -> float:
    """Starts of anybody from the small tenant's commit to the start of its last job, over the slots."""
    for _ in range(BETWEEN):
        arrivals.await_one()
    small = [
        pgqueue.NewJob(NAP, [arrivals.address, number, SECONDS], limit_key="small")
        for number in range(first, first + FEW)
    ]
    pgqueue.enqueue_many(conn, small)
    committed = time.monotonic_ns()
    missing, starts = FEW, 0
    while missing:
        number, began = arrivals.await_one()
        if began >= committed or number >= first:
            starts += 1
            missing -= number >= first
    return math.ceil(starts / SLOTS)
