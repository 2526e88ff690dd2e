"""A held horizon: another session keeps a snapshot open, so that no row that dies can be cleaned away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pgqueue.bench.bare_enqueue import copy
from pgqueue.bench.idle_workers import idle_workers
from pgqueue.bench.preload import preloaded
from pgqueue.bench.program import ask_client
from pgqueue.bench.reading import Key, Measure, Reading, quantile
from pgqueue.bench.site import Site

PARTS = 10
BATCH = 200
RATE = "drain under a held horizon"
CLAIM = "claim p95 under a held horizon"
FIRST, LAST = "first tenth", "last tenth"

# Seconds that each tenth took; settled in batches, so a tenth ends with the batch that holds its last job.
TENTHS = """
with numbered as (
  select finished_at, row_number() over (order by finished_at) as n from pgqueue.attempts where outcome = 'succeeded'
), ends as (
  select (n - 1) * %(parts)s / %(count)s as part, max(finished_at) as at
  from numbered where n <= %(count)s group by 1
), began as (
  select min(started_at) as at from pgqueue.attempts
)
select part, extract(epoch from ends.at - coalesce(lag(ends.at) over (order by part), began.at))::float8
from ends, began order by part
"""


def measures(site: Site) -> list[Measure]:
    """The worker's rate in every round; the time of single claims in the first."""
    if not site.sizes.horizon:
        return []
    return [Measure("horizon/drain", _drain), Measure("horizon/claims", _claims, once=True)]


def part(number: int) -> str:
    """The name of a tenth."""
    return {0: FIRST, PARTS - 1: LAST}.get(number, f"tenth {number + 1}")


@contextmanager
def held_horizon(dsn: str) -> Iterator[None]:
    """A REPEATABLE READ transaction that has taken its snapshot and does nothing."""
    with psycopg.connect(dsn) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.execute("select count(*) from pgqueue.workers")
        yield
        conn.rollback()


def _drain(site: Site) -> list[Reading]:
    count = site.sizes.horizon
    with preloaded(site, count, "thread") as work:
        with held_horizon(site.dsn), idle_workers(site, "thread"):
            work.begin()
            work.await_end()
        rows = work.conn.execute(TENTHS, {"parts": PARTS, "count": count}).fetchall()
    return [Reading(Key(RATE, part(number)), "/s", count / PARTS / seconds) for number, seconds in rows if seconds]


def _claims(site: Site) -> list[Reading]:
    count = site.sizes.horizon
    copy(site.dsn, count)
    site.settle_down()
    with held_horizon(site.dsn):
        answer = ask_client(900, do="bounded_loop", dsn=site.dsn, count=count, batch=BATCH)
    times = answer["times"]
    tenth = max(1, len(times) // PARTS)
    parts = [times[first : first + tenth] for first in range(0, tenth * PARTS, tenth)]
    return [Reading(Key(CLAIM, part(number)), "ms", quantile(each, 0.95)) for number, each in enumerate(parts) if each]
