"""`python -m bench.partitions`: what partitions of history cost and spare, on a server of its own that it starts.

`convert`: attempts of a week are copied into partitions beside a worker that settles and claims batch after batch; how
long that takes, and how long its steps take before, during and after.
`year`: a year of history in 365 days at once, each day written, its upkeep done, and measured: with partitions and
without. The clock of the server cannot be moved; so days are written into the past, and what prunes is told to keep
them for as much longer.

    python -m bench.partitions                      10,000,000 rows, and 365 days of 100,000 attempts
    python -m bench.partitions --scale 0.02         to see that it works
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pgqueue.bench.reading import quantile
from pgqueue.bench.server import durable_server
from pgqueue.migrate import migrate
from pgqueue.partitioning import partition_history

ROWS, DAYS, A_DAY = 10_000_000, 365, 100_000
# Jobs of a step, and steps that are measured on each day.
BATCH, STEPS = 100, 6
HISTORY, DEAD = timedelta(days=7), timedelta(days=180)
NOBODY = "00000000-0000-0000-0000-000000000000"

FILL = """
insert into pgqueue.attempts (job_id, started_at, finished_at, worker, claim, attempt, outcome, queue, target,
                              created_at, run_at, priority, max_attempts, args, labels)
select pgqueue.uuid7_floor(made.at), made.at, made.at, 1, 1, 1, 'succeeded', 'mail', 'shop.tasks:send_receipt', made.at,
       made.at, 5, 8, '{"order_id": 42, "address": "somebody@example.com"}', '{"tenant": "t7"}'
from (
  select %(since)s::timestamptz + (i - random()) * (%(until)s::timestamptz - %(since)s::timestamptz) / %(rows)s as at
  from generate_series(1, %(rows)s) as i) as made
on conflict do nothing
"""
# Of every thousand one is dead, and its attempt is kept as long as it is.
BURY = """
insert into pgqueue.dead_jobs (id, died_at, run_at, created_at, claim, priority, attempt, crashes, queue, target, args,
                               reason)
select a.job_id, a.finished_at, a.run_at, a.created_at, 1, 5, 1, 0, a.queue, a.target, a.args, 'exhausted'
from pgqueue.attempts as a
where a.job_id >= pgqueue.uuid7_floor(%(since)s) and a.job_id < pgqueue.uuid7_floor(%(until)s)
limit greatest(1, %(rows)s / 1000)
"""
ENLIST = "select pgqueue.enlist(1, 'bench', 1, '{mail}', 'thread', 100, interval '1 day')"
ENQUEUE = """
insert into pgqueue.jobs (id, queue, target, args)
select pgqueue.uuid7(), 'mail', 'shop.tasks:send_receipt', '{"order_id": 42}' from generate_series(1, %s)
"""
STEP = """
select id, claim
from pgqueue.step(1, %s, %s, '{}', '{}', '{mail}', '{5}', '{2020-01-01}', %s, '0', %s, 0, 1000000, true)
where id is not null
"""


@dataclass
class Steps:
    """A worker that settles one batch and claims the next, over and over, and how long each step took, in seconds."""

    dsn: str
    took: list[tuple[float, float]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as conn:
                ids: list[Any] = []
                claims: list[int] = []
                while not self.ended.is_set():
                    conn.execute(ENQUEUE, [BATCH])
                    began = time.monotonic()
                    rows = conn.execute(STEP, [ids, claims, [NOBODY], BATCH]).fetchall()
                    self.took.append((began, time.monotonic() - began))
                    ids, claims = [row[0] for row in rows], [row[1] for row in rows]
                    time.sleep(0.02)
        except Exception as fault:
            self.faults.append(fault)

    def between(self, since: float, until: float) -> str:
        """The steps that began then, in words."""
        took = sorted(seconds for began, seconds in self.took if since <= began < until)
        if not took:
            return "none"
        middle, late = (1000 * quantile(took, share) for share in (0.5, 0.95))
        longest = 1000 * took[-1]
        return f"{len(took):,} steps of {BATCH}: median {middle:.1f} ms, p95 {late:.1f} ms, longest {longest:.0f} ms"


@contextmanager
def stepping(dsn: str) -> Iterator[Steps]:
    steps = Steps(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(ENLIST)
    thread = threading.Thread(target=steps.work)
    thread.start()
    try:
        yield steps
    finally:
        steps.ended.set()
        thread.join()
    if steps.faults:
        raise steps.faults[0]


def convert(dsn: str, rows: int, quiet: float) -> None:
    """Copy a week of attempts into partitions beside a worker, and say how long its steps took."""
    now = datetime.now(UTC)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for since in range(7, 0, -1):
            said = {"since": now - timedelta(days=since), "until": now - timedelta(days=since - 1), "rows": rows // 7}
            conn.execute(FILL, said)
            conn.execute(BURY, said)
        conn.execute("vacuum (analyze) pgqueue.attempts, pgqueue.dead_jobs")
        there = conn.execute(
            "select count(*), pg_size_pretty(pg_total_relation_size('pgqueue.attempts')) from pgqueue.attempts"
        )
        print("convert: {:,} attempts, {}".format(*there.fetchone() or ("", "")), flush=True)
    with stepping(dsn) as steps:
        time.sleep(quiet)
        began = time.monotonic()
        partition_history(dsn)
        ended = time.monotonic()
        time.sleep(quiet)
    print(f"  before  {steps.between(0, began)}")
    print(f"  beside  {steps.between(began, ended)}, in {ended - began:.0f} s")
    print(f"  after   {steps.between(ended, float('inf'))}", flush=True)


def year(dsn: str, days: int, a_day: int, *, partitioned: bool) -> None:
    """Write a year of history day by day, prune after each, and say what pruning and a step cost, by quarters."""
    if partitioned:
        partition_history(dsn)
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    pruned: list[float] = []
    steps: list[float] = []
    sizes: list[int] = []
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(ENLIST)
        if partitioned:
            _from_then_on(conn, first)
        for day in range(days):
            since = first + timedelta(days=day)
            said = {"since": since, "until": since + timedelta(days=1), "rows": a_day}
            if partitioned:
                for table in ("attempts", "dead_jobs"):
                    _make_ahead(conn, table, since)
            conn.execute(FILL, said)
            conn.execute(BURY, said)
            pruned.append(_prune(conn, datetime.now(UTC) - since - timedelta(days=1)))
            steps += _steps(conn)
            size = conn.execute("select pgqueue.size_of('pgqueue.attempts')").fetchone()
            sizes.append(size[0] if size else 0)
    print(f"year: {days} days of {a_day:,} attempts, {'with' if partitioned else 'without'} partitions")
    quarter = max(1, days // 4)
    for begin in range(0, days - quarter + 1, quarter):
        spent = pruned[begin : begin + quarter]
        took = sorted(steps[begin * STEPS : (begin + quarter) * STEPS])
        print(
            f"  days {begin + 1:>3}-{begin + quarter:<3}  pruning a day {sum(spent) / len(spent):6.2f} s,"
            f" step of {BATCH} median {1000 * quantile(took, 0.5):.1f} ms, p95 {1000 * quantile(took, 0.95):.1f} ms,"
            f" attempts {sizes[begin + quarter - 1] / 1e6:,.0f} MB",
            flush=True,
        )


def _from_then_on(conn: psycopg.Connection[Any], first: datetime) -> None:
    """Have nothing but `past`, `rest` and `beyond`, which end and begin where the year begins."""
    for table in ("attempts", "dead_jobs"):
        begins = first.replace(day=1) if table == "dead_jobs" else first
        spans = conn.execute("select name from pgqueue.partitions_of(%s) where kind = 'span'", [table]).fetchall()
        for (name,) in spans:
            conn.execute(f"drop table pgqueue.{name}")
        conn.execute(f"alter table pgqueue.{table} detach partition pgqueue.{table}_past")
        bound = conn.execute("select pgqueue.uuid7_floor(%s)", [begins]).fetchone()
        assert bound is not None
        conn.execute(
            f"alter table pgqueue.{table} attach partition pgqueue.{table}_past"
            f" for values from (minvalue) to ('{bound[0]}')"
        )


def _make_ahead(conn: psycopg.Connection[Any], table: str, since: datetime) -> None:
    """As make_spans() would have done by that day."""
    for ahead in range(8 if table == "attempts" else 40):
        at = since + timedelta(days=ahead)
        if table == "attempts" or at.day == 1 or ahead == 0:
            conn.execute("select pgqueue.make_span(%s, %s)", [table, at if table == "attempts" else at.replace(day=1)])


def _prune(conn: psycopg.Connection[Any], longer: timedelta) -> float:
    """Prune as a worker does on that day, until nothing goes any more; answers the seconds that it took."""
    began = time.monotonic()
    for _ in range(1000):
        found = conn.execute("select pgqueue.prune(%s, %s)", [HISTORY + longer, DEAD + longer]).fetchone()
        if not found or not found[0]:
            break
    took = time.monotonic() - began
    conn.execute("vacuum pgqueue.dead_jobs")
    return took


def _steps(conn: psycopg.Connection[Any]) -> list[float]:
    """Some steps, each of which settles a batch and claims the next; answers the seconds of each."""
    took = []
    ids: list[Any] = []
    claims: list[int] = []
    for _ in range(STEPS + 1):
        conn.execute(ENQUEUE, [BATCH])
        began = time.monotonic()
        rows = conn.execute(STEP, [ids, claims, [NOBODY], BATCH]).fetchall()
        took.append(time.monotonic() - began)
        ids, claims = [row[0] for row in rows], [row[1] for row in rows]
    conn.execute(
        "select from pgqueue.step(1, %s, %s, '{}', '{}', '{}', '{}', '{}', '{}', '0', 0, 0, 1, true)", [ids, claims]
    )
    return took[1:]


def main() -> None:
    """Measure what was asked for, each on a server of its own."""
    options = argparse.ArgumentParser(prog="python -m bench.partitions", description=__doc__)
    options.add_argument("--scale", type=float, default=1.0, help="of the rows, and of the attempts of a day")
    options.add_argument("--days", type=int, default=DAYS)
    options.add_argument("--quiet", type=float, default=10.0, help="seconds of steps before and after the conversion")
    options.add_argument("--only", choices=["convert", "year"])
    given = options.parse_args()
    if given.only != "year":
        with _database() as dsn:
            convert(dsn, int(ROWS * given.scale), given.quiet)
    if given.only != "convert":
        for partitioned in (True, False):
            with _database() as dsn:
                year(dsn, given.days, int(A_DAY * given.scale), partitioned=partitioned)


@contextmanager
def _database() -> Iterator[str]:
    with durable_server() as server:
        migrate(server.dsn())
        yield server.dsn()


if __name__ == "__main__":
    main()
