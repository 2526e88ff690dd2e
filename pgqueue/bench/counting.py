"""What counting costs: `python -m pgqueue.bench.counting DSN`, on a database that may be spoiled.

Of an attempt in a worker, CPU time; of an append of 40 rows, its WAL and its time; of the merge, and of the questions
that people ask of two days of 20 queues with two tasks each, their time.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pgqueue.buckets import BUCKETS
from pgqueue.events import AttemptsFinished, succeeded
from pgqueue.job import Claim
from pgqueue.store import causes, execute, rates, tallies
from pgqueue.store.looking import LONGER, look
from pgqueue.worker.upkeep.tallies import Tallies

BATCH, BATCHES, TURNS = 200, 500, 20
HISTORY = """
insert into pgqueue.tallies (minute, worker, queue, target, outcome, n, ended, wait, run)
select date_trunc('minute', now()) - n * interval '1 minute', %s, 'q' || q, 'shop:task_' || q * 2 + t,
       'succeeded', 100, 100, array_fill(4, array[25]), array_fill(4, array[25])
from generate_series(1, %s) as n, generate_series(1, 20) as q, generate_series(0, 1) as t
"""


def main(dsn: str) -> None:
    """Measure, and print a line each."""
    print(f"counted: {_counted() * 1e6:.2f} µs of CPU an attempt")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("truncate pgqueue.tallies")
        rows = json.dumps([_row(n) for n in range(40)])
        before = _wal(conn)
        seconds = _fastest(lambda: execute(conn, tallies.append(rows)))
        print(f"40 rows appended: {seconds * 1e3:.2f} ms, {(_wal(conn) - before) / TURNS / 1024:.1f} KB of WAL")
        conn.execute("truncate pgqueue.tallies")
        conn.execute(HISTORY, [1, 600])
        began, merged = time.perf_counter(), 0
        while taken := execute(conn, tallies.merge(5_000)):
            merged += taken
        print(f"merged: {(time.perf_counter() - began) / merged * 5e6:.0f} ms for 5,000 rows")
        conn.execute("truncate pgqueue.tallies")
        conn.execute(HISTORY, [None, 2880])
        (size,) = conn.execute("select pg_total_relation_size('pgqueue.tallies')").fetchone() or (0,)
        print(f"two days of 40 tasks: {2880 * 40:,} rows, {size / 2**20:.0f} MB")
        for name, ask in _questions().items():
            print(f"{name}: {_fastest(lambda ask=ask: look(conn, ask, 5 * LONGER)) * 1e3:.0f} ms")  # type: ignore[misc]


def _questions() -> dict[str, Callable[[psycopg.Connection[Any]], Any]]:
    def ago(hours: float) -> datetime:
        return datetime.now(UTC) - timedelta(hours=hours)

    return {
        "throughput of 6 h": lambda conn: execute(conn, tallies.throughput(ago(6), ago(0))),
        "timings of 6 h": lambda conn: execute(conn, tallies.timings(ago(6))),
        "timings of 24 h, one queue": lambda conn: execute(conn, tallies.timings(ago(24), queue="q1")),
        "timings of 48 h": lambda conn: execute(conn, tallies.timings(ago(48), "target")),
        "rates for status": lambda conn: execute(conn, rates.rates()),
        "new causes for status": lambda conn: execute(conn, causes.new(timedelta(minutes=10), 3)),
    }


def _counted() -> float:
    counting = Tallies(1)
    now = datetime.now(UTC)
    claims = [
        Claim(uuid.uuid4(), 1, 1, 0, None, None, None, 5, f"q{n % 5}", f"shop:task_{n % 7}", "{}", None, now, 1)
        for n in range(BATCH)
    ]
    batches = [AttemptsFinished([succeeded(each, 0.1) for each in claims], now, 0.0) for _ in range(BATCHES)]
    began = time.process_time()
    for batch in batches:
        counting.hear(batch)
    return (time.process_time() - began) / (BATCH * BATCHES)


def _row(number: int) -> dict[str, object]:
    histogram = [number] * BUCKETS
    return {
        "worker": 1,
        "queue": f"q{number}",
        "target": "a:b",
        "outcome": "succeeded",
        "n": 1,
        "ended": 1,
        "wait": histogram,
        "run": histogram,
    }


def _fastest(ask: Callable[[], object]) -> float:
    took = []
    for _ in range(TURNS):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return min(took)


def _wal(conn: psycopg.Connection[Any]) -> float:
    return float(conn.execute("select pg_current_wal_insert_lsn() - '0/0'").fetchone()[0])  # type: ignore[index]


if __name__ == "__main__":
    main(sys.argv[1])
