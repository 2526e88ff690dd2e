"""Very many schedules that are due at one moment: until when all are enqueued, while workers die over it."""

from __future__ import annotations

import os
import signal
import time

from pgqueue.bench.idle_workers import idle_workers
from pgqueue.bench.reading import Key, Measure, Reading
from pgqueue.bench.site import Conn, Site
from pgqueue.bench.sizes import Sizes
from pgqueue.cron import tzdata_version
from pgqueue.errors import PgqueueError

# The first of them are killed, each after another part of the ticks.
WORKERS, KILLED = 3, 2
LIMIT = 120.0
LAST = "the last of them"

# A worker sees a new schedule within five seconds. Each fires at one moment of the day, in one of three zones; nobody
# serves the queue of their jobs.
MAKE = """
insert into pgqueue.schedules (name, cron, timezone, target, queue, last_at, next_at, tzdata)
select 's' || n, to_char(due.at at time zone z.zone, 'FMMI FMHH24 "* * *" FMSS'), z.zone, 'pgqueue.bench.tasks:nothing',
       'ticks', due.at - interval '1 day', due.at, %s
from generate_series(1, %s) as n
cross join lateral (select (array['UTC', 'Europe/Oslo', 'Asia/Tokyo'])[n %% 3 + 1]) as z (zone)
cross join (select date_trunc('second', clock_timestamp()) + interval '8 s') as due (at)
"""
FIRED = "select count(*) from pgqueue.ticks"
# How long it took, and how many jobs, ticks and moments there were.
FOUND = """
select extract(epoch from max(tick.decided_at) - min(tick.scheduled_for))::float8,
       count(distinct job.id), count(distinct tick.schedule), count(distinct tick.scheduled_for)
from pgqueue.ticks as tick
full join pgqueue.jobs as job on job.id = tick.job_id
"""


def measures(site: Site) -> list[Measure]:
    return [Measure("schedules", _schedules)] if site.sizes.schedules else []


def figure(sizes: Sizes) -> str:
    """The name of the figure."""
    return f"schedules due at one moment, {sizes.schedules:,}: until all are enqueued"


def _schedules(site: Site) -> list[Reading]:
    count = site.sizes.schedules
    with site.connect() as conn, idle_workers(site, "thread", queues=(("default",),) * WORKERS, mortal=True) as pids:
        conn.execute(MAKE, [tzdata_version(), count])
        for number, pid in enumerate(pids[:KILLED], 1):
            _await(conn, count * number // (KILLED + 1))
            os.kill(pid, signal.SIGKILL)
        _await(conn, count)
        took, *found = conn.execute(FOUND).fetchone() or (0.0,)
    if found != [count, count, 1]:
        raise PgqueueError(f"{count} schedules were due, and (jobs, ticks, moments) are {found}")
    return [Reading(Key(figure(site.sizes), LAST), "s", took)]


def _await(conn: Conn, fired: int) -> None:
    deadline = time.monotonic() + LIMIT
    while (conn.execute(FIRED).fetchone() or (0,))[0] < fired:
        if time.monotonic() > deadline:
            raise PgqueueError(f"{fired} ticks were not fired within {LIMIT:.0f} s")
        time.sleep(0.01)
