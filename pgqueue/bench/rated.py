"""A rate under load: never above it in any window, and how much of it is used."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence

import pgqueue
from pgqueue.bench.idle_workers import idle_workers
from pgqueue.bench.preload import NOOPS
from pgqueue.bench.program import ask_client
from pgqueue.bench.reading import Key, Measure, Reading
from pgqueue.bench.site import Site
from pgqueue.errors import PgqueueError
from pgqueue.store import execute, queues

# Starts a second, by so many workers.
RATE, WORKERS = 1000, 4
FIGURE = f"rate {RATE:,}/s on one key, {WORKERS} workers"
WORST, USED = "worst second", "share used"
# Seconds for which there are jobs beyond those that are counted.
SPARE = 5.0
# The claim's own time, of those that run still and of those that have ended.
STARTS = """
select extract(epoch from started_at)::float8 from (
  select started_at from pgqueue.attempts where outcome = 'succeeded'
  union all select started_at from pgqueue.jobs where worker is not null) as begun
order by 1
"""


def measures(site: Site) -> list[Measure]:
    """One: it takes as long as the rate is kept."""
    return [Measure("rate", _rated)] if site.sizes.rated else []


def _rated(site: Site) -> list[Reading]:
    seconds = site.sizes.rated
    with site.connect() as conn:
        pgqueue.set_limit(conn, "key", "rated", rate=f"{RATE}/s")
        execute(conn, queues.pause("default"))
        count = int((seconds + SPARE) * RATE)
        ask_client(do="enqueue_keyed", dsn=site.dsn, count=count, keys=1, name="rated", target=NOOPS["async"])
        site.settle_down()
        # What has a rate is claimed for free slots alone: there are to be enough, however long a claim takes here.
        with idle_workers(site, "async", queues=[["default"]] * WORKERS):
            execute(conn, queues.resume("default"))
            time.sleep(seconds + 1)
            execute(conn, queues.pause("default"))
        starts = [row[0] for row in conn.execute(STARTS).fetchall()]
    if not starts:
        raise PgqueueError("nothing started")
    used = bisect_left(starts, starts[0] + seconds) / (RATE * seconds)
    return [
        Reading(Key(FIGURE, WORST), "starts", float(worst_window(starts, 1.0))),
        Reading(Key(FIGURE, USED), "", used),
    ]


def worst_window(starts: Sequence[float], seconds: float) -> int:
    """The most starts in any half-open window of that length; `starts` are in order."""
    return max(bisect_left(starts, start + seconds) - number for number, start in enumerate(starts))
