"""`python -m bench.onlookers`: what 20 open browsers cost a worker that drains a month of history, and what none cost.

One worker drains without a pause, while pages are open, and while none is, by turns; the jobs of each span are counted
afterwards from the history. Besides: the longest snapshot of the dashboard, and whether it asked while no page was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from threading import Event, Thread

import psycopg

from bench import history
from bench.asking import dashboard
from bench.month.found import found
from bench.states import copied, workers
from pgqueue.bench.site import Conn

# What people look at, as often: twenty browsers on eight pages.
PAGES = (
    *("/",) * 6,
    *("/queues",) * 4,
    *("/queue?name={queue}",) * 2,
    *("/jobs",) * 2,
    *("/running",) * 2,
    *("/dead",) * 2,
    "/workers",
    "/causes",
)
ROUNDS, SECONDS = 6, 8.0
# Until pages are open and closed, and what they had begun is over.
SETTLE = 2.5
WANTED = 0.97
_NOW = "select clock_timestamp()"
_BLOCKS = "select pg_relation_size('pgqueue.attempts') / 8192"
_COUNT = """
select count(*) from pgqueue.attempts where ctid >= format('(%%s,0)', %(first)s::bigint)::tid
  and finished_at >= %(since)s and finished_at < %(until)s
"""
_ASKED = """
select coalesce(max(query_start)::text, 'never'), count(*),
       coalesce(max(extract(epoch from clock_timestamp() - xact_start)) filter (where backend_xmin is not null), 0)
from pg_stat_activity where application_name = 'pgqueue dashboard' and datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the drain."""

    watched: bool
    since: datetime
    until: datetime


def main() -> None:
    """Measure, and print the ratio of each round."""
    options = argparse.ArgumentParser(prog="python -m bench.onlookers", description=__doc__)
    history.add_options(options)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--seconds", type=float, default=SECONDS)
    options.add_argument("--executor", action="append", default=[], choices=["thread", "async", "process"])
    options.add_argument("--workers", type=int, default=1)
    given = options.parse_args()
    met = True
    with history.opened(given.at, given.scale, given.seed, print) as server:
        for executor in given.executor or ["thread"]:
            with copied(server) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute("analyze")
                met &= _compare(dsn, conn, executor, given)
    sys.exit(0 if met else 1)


def _compare(dsn: str, conn: Conn, executor: str, given: argparse.Namespace) -> bool:
    names = found(conn)
    (first,) = conn.execute(_BLOCKS).fetchone() or (0,)
    spans: list[Span] = []
    asked_unseen = 0
    with dashboard(dsn) as (port, _), workers(dsn, executor, given.workers), Snapshots(dsn) as snapshots:
        time.sleep(SETTLE)
        for number in range(given.rounds):
            for watched in (True, False) if number % 2 else (False, True):
                if watched:
                    with _browsers(port, [page.format(**names) for page in PAGES]):
                        time.sleep(SETTLE)
                        spans.append(_span(conn, given.seconds, watched=True))
                else:
                    time.sleep(SETTLE)
                    before = _last_question(conn)
                    spans.append(_span(conn, given.seconds, watched=False))
                    asked_unseen += _last_question(conn) != before
    rates = [_rate(conn, first, span) for span in spans]
    pairs = [
        sorted(zip(spans[n : n + 2], rates[n : n + 2], strict=True), key=lambda each: each[0].watched)
        for n in range(0, len(spans), 2)
    ]
    ratios = [watched[1] / alone[1] for alone, watched in pairs]
    for (_, alone), (_, watched) in pairs:
        print(f"{executor:8} alone {alone:9,.0f}/s   {len(PAGES)} browsers {watched:9,.0f}/s   {watched / alone:.3f}")
    print(
        f"{executor:8} median ratio {median(ratios):.3f} (wanted ≥ {WANTED}); longest snapshot of the dashboard"
        f" {snapshots.longest:.2f} s; spans without a page in which it asked: {asked_unseen} of {len(ratios)}"
    )
    return median(ratios) >= WANTED and snapshots.longest < 1 and not asked_unseen


def _span(conn: Conn, seconds: float, *, watched: bool) -> Span:
    (since,) = conn.execute(_NOW).fetchone() or (None,)
    time.sleep(seconds)
    (until,) = conn.execute(_NOW).fetchone() or (None,)
    assert since is not None
    assert until is not None
    return Span(watched, since, until)


def _rate(conn: Conn, first: int, span: Span) -> float:
    said = {"first": first, "since": span.since, "until": span.until}
    (count,) = conn.execute(_COUNT, said).fetchone() or (0,)
    return float(count / (span.until - span.since).total_seconds())


def _last_question(conn: Conn) -> object:
    (asked, _, _) = conn.execute(_ASKED).fetchone() or (None, 0, 0)
    return asked


class Snapshots:
    """How long the dashboard's transactions were open, as seen twenty times a second."""

    def __init__(self, dsn: str) -> None:
        self.longest = 0.0
        self._dsn, self._over = dsn, Event()
        self._thread = Thread(target=self._watch, name="bench-snapshots", daemon=True)

    def __enter__(self) -> Snapshots:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            while not self._over.wait(0.05):
                (_, _, age) = conn.execute(_ASKED).fetchone() or (None, 0, 0)
                self.longest = max(self.longest, float(age))


@contextmanager
def _browsers(port: int, addresses: list[str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.browsers", str(port), *addresses],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield
    finally:
        said, _ = process.communicate(timeout=30)
        print(f"         browsers: {said.strip()}")


if __name__ == "__main__":
    main()
