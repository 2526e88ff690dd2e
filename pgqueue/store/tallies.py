"""Tallies and depths: what workers have counted, and how full queues were, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, only_value

# Rows of tallies that a question looks at: those about durations add up 50 numbers of each.
BUDGET, BUDGET_OF_TIMINGS = 400_000, 100_000
# Jobs that are looked at to say how many come in.
ENTERED_BUDGET = 20_000


@dataclass(frozen=True, slots=True)
class Timing:
    """How many attempts of a queue or target ended since a moment, and how long they waited and ran, seconds.

    `n` attempts, of which `ended` ended their job and `failed` had a cause. `since` is how far the look went;
    `degraded` that some may be missing. `wait` and `run` are counts a bucket (pgqueue.buckets), or empty.
    """

    name: str
    n: int
    ended: int
    failed: int
    wait_p50: float | None
    wait_p95: float | None
    wait_p99: float | None
    run_p50: float | None
    run_p95: float | None
    run_p99: float | None
    since: datetime
    degraded: bool
    wait: Sequence[int]
    run: Sequence[int]


@dataclass(frozen=True, slots=True)
class Throughput:
    """How many attempts and jobs of a queue ended in one step of time that begins at `at`."""

    at: datetime
    queue: str
    n: int
    ended: int
    failed: int
    degraded: bool


class Entered(NamedTuple):
    """How many jobs came into a queue in the last `seconds`."""

    queue: str
    jobs: int
    seconds: float


class Depth(NamedTuple):
    """How full a queue was: ready, later (scheduled or retrying), running and dead jobs.

    `oldest` is how many seconds the oldest ready one had waited; `entered` how many came in the minute before, or in
    the `span` seconds of a row that stands for more.
    """

    minute: datetime
    span: int
    queue: str
    ready: int
    later: int
    running: int
    dead: int
    oldest: float | None
    entered: int | None
    exact: bool


def append(rows: str) -> Statement[int]:
    """Append rows that were counted, JSON as `pgqueue.tally` takes it; answers how many."""
    return Statement("select pgqueue.tally($1::text::jsonb)", (rows,), only_value)


def append_of(worker: int, number: int, until: datetime | None, rows: str, *, last: bool) -> Statement[bool]:
    """Append a worker's batch, once: all that it had settled until then. False if its lease was given up."""
    sql = "select pgqueue.tally_of($1::bigint, $2::int, $3::timestamptz, $4::text::jsonb, $5::boolean)"
    return Statement(sql, (worker, number, until, rows, last), only_value)


def make_up(most: int) -> Statement[bool]:
    """Count what one vanished worker had not; answers whether there was one. Looks at about `most` attempts."""
    return Statement("select pgqueue.make_up($1::int)", (most,), only_value)


def merge(most: int) -> Statement[int]:
    """Make rows into fewer, at most `most` of each kind; answers how many were taken, 0 if somebody else does it."""
    return Statement("select pgqueue.merge_tallies($1::int)", (most,), only_value)


def note_depths() -> Statement[int | None]:
    """How full the queues are, once a minute; None if this minute was noted already."""
    return Statement("select pgqueue.note_depths()", (), only_value)


def timings(
    since: datetime, by: Literal["queue", "target"] = "queue", *, queue: str | None = None, target: str | None = None
) -> Statement[list[Timing]]:
    """How long attempts waited and ran, a row a queue or target. Looks at 100,000 rows of tallies at most."""
    return Statement(
        _TIMINGS,
        (since, by, queue, target, BUDGET_OF_TIMINGS),
        _read_timings,
    )


def _read_timings(rows: Rows) -> list[Timing]:
    return [Timing(*(*row[:12], _counts(row[12]), _counts(row[13]))) for row in rows]


def _counts(summed: Sequence[int | None] | None) -> Sequence[int]:
    """Counts a bucket; none where no row has any: then each sum is null."""
    return () if summed is None or None in summed else [each for each in summed if each is not None]


_TIMINGS = """
select name, n, ended, failed, wait_p50, wait_p95, wait_p99, run_p50, run_p95, run_p99, since, degraded, wait, run
from pgqueue.timings($1::timestamptz, $2::text, $3::text, $4::text, $5::int)
"""


def throughput(
    since: datetime, until: datetime, *, queue: str | None = None, step: timedelta = timedelta(minutes=1)
) -> Statement[list[Throughput]]:
    """How much ended, a row a queue and step of time. Looks at 400,000 rows of tallies at most."""
    return Statement(
        _THROUGHPUT,
        (since, until, queue, step.total_seconds(), BUDGET),
        lambda rows: [Throughput(*row) for row in rows],
    )


_THROUGHPUT = """
select at, queue, n, ended, failed, degraded
from pgqueue.throughput($1::timestamptz, $2::timestamptz, $3::text, $4::float8, $5::int)
"""


def depths(
    since: datetime, until: datetime, *, queue: str | None = None, limit: int = 20_000
) -> Statement[list[Depth]]:
    """How full queues were between two moments, the newest `limit` rows, oldest first. Walks depths_pkey, or _queue."""
    return Statement(
        _DEPTHS if queue is None else _DEPTHS_OF,
        (since, until, limit, queue),
        lambda rows: [Depth(*row) for row in rows],
    )


_DEPTH = "minute, span, queue, ready, later, running, dead, oldest, entered, exact"
_DEPTHS = f"""
select {_DEPTH} from (
  select * from pgqueue.depths as noted
  where noted.span = any (array[60, 3600, 86400]) and noted.minute >= $1::timestamptz and noted.minute < $2::timestamptz
    and $4::text is null
  order by noted.minute desc limit $3::int) as found
order by minute, queue
"""
_DEPTHS_OF = f"""
select {_DEPTH} from (
  select * from pgqueue.depths as noted
  where noted.queue = $4::text and noted.span = any (array[60, 3600, 86400])
    and noted.minute >= $1::timestamptz and noted.minute < $2::timestamptz
  order by noted.minute desc limit $3::int) as found
order by minute
"""


def entered(within: timedelta) -> Statement[list[Entered]]:
    """How many jobs came into each queue lately, and in which time. Looks at 20,000 jobs of each table at most."""
    sql = "select queue, jobs, seconds from pgqueue.entered($1::interval, $2::int)"
    return Statement(sql, (within, ENTERED_BUDGET), lambda rows: [Entered._make(row) for row in rows])
