"""What a forecast of a queue is made of: what waits, who serves it, and how its last hour went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from pgqueue import globs
from pgqueue.buckets import mean
from pgqueue.forecast import Basis, Window
from pgqueue.rate import rate_of
from pgqueue.store import limits, past, queues, reports, tallies, workers
from pgqueue.store.statement import execute
from pgqueue.store.workers import WorkerRow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Minutes that make a window.
WINDOW = 10
# Jobs that are counted before the rest is estimated.
MOST_COUNTED = 10_000


@dataclass(slots=True)
class _Minute:
    """What is known of a minute: jobs that came in, jobs that ended, jobs that waited at its end."""

    into: float | None = None
    out: float = 0.0
    ready: float = 0.0


def basis(conn: psycopg.Connection[Any], queue: str) -> Basis:
    """What is known of a queue, in the transaction open on `conn`.

    Counts 10,000 jobs, and looks at its depths of an hour and at 200,000 rows of tallies at most.
    """
    now = execute(conn, reports.now())
    # Workers tell of a minute within the next one.
    until = now.replace(second=0, microsecond=0) - MINUTE
    depths = execute(conn, queues.depths([queue], MOST_COUNTED))
    row = next((each for each in depths.queues if each.queue == queue), None)
    serving = [
        each
        for each in workers.holding(execute(conn, workers.rows()), depths.held, partial=depths.partial)
        if each.alive and each.asked is None and globs.serves(each.queues, queue)
    ]
    slots = sum(max(0, each.concurrency) for each in serving)
    rule = execute(conn, limits.get("queue", queue))
    rate = None if rule is None or rule.rate is None else rate_of(rule.rate)
    return Basis(
        ready=0 if row is None else row.ready,
        slots=slots,
        free=_free(serving, slots),
        run=_run(conn, until - HOUR, queue),
        windows=_windows(_minutes(conn, until - HOUR, until, queue), until, max(1, slots)),
        most_slots=None if rule is None else rule.concurrency,
        most_rate=None if rate is None else rate.starts / rate.period,
        paused=row is not None and row.paused,
    )


def _free(serving: Sequence[WorkerRow], slots: int) -> float:
    busy = sum(min(each.running or 0, each.concurrency) for each in serving)
    return max(0.0, 1 - busy / slots) if slots else 0.0


def _run(conn: psycopg.Connection[Any], since: datetime, queue: str) -> float | None:
    """Seconds of a slot for each job that ended, with its attempts that failed."""
    timed = execute(conn, tallies.timings(since, "queue", queue=queue))
    if not timed or not timed[0].ended or (one := mean(timed[0].run)) is None:
        return None
    return one * timed[0].n / timed[0].ended


def _minutes(conn: psycopg.Connection[Any], since: datetime, until: datetime, queue: str) -> dict[datetime, _Minute]:
    """The minutes of which something is known. One that nobody noted had nothing that waited: as much came as went."""
    found: defaultdict[datetime, _Minute] = defaultdict(_Minute)
    for ended in execute(conn, tallies.throughput(since, until, queue=queue, step=MINUTE)):
        found[ended.at].out += ended.ended
    for noted in execute(conn, past.past(since, until, MINUTE, queue)):
        found[noted.at].into, found[noted.at].ready = noted.entered, noted.ready
    return found


def _windows(minutes: dict[datetime, _Minute], until: datetime, many: int) -> list[Window]:
    """Windows, the newest first, from the first minute on of which anything is known."""
    if not minutes:
        return []
    first = min(minutes)
    windows = []
    for number in range(int(HOUR / MINUTE) // WINDOW):
        ends = until - number * WINDOW * MINUTE
        there = [minutes.get(at, _Minute()) for at in (ends - (n + 1) * MINUTE for n in range(WINDOW)) if at >= first]
        if there:
            into = sum(each.out if each.into is None else each.into for each in there)
            waited = sum(each.ready for each in there) / len(there) >= many
            windows.append(
                Window(into / (60 * len(there)), sum(each.out for each in there) / (60 * len(there)), waited)
            )
    return windows
