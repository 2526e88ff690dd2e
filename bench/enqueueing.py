"""`python -m bench.enqueueing --before COMMIT`: what enqueueing takes now, beside an earlier commit, on one server.

Each has a database of its own with its own schema, and no worker. Rounds take turns; a figure is the median of their
rates, and the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

import psycopg

from bench import earlier
from bench.manifest import ROOT
from pgqueue.bench.server import durable_server

JOBS = 5_000
# What a round does, run by the Python of this environment with the code of either checkout.
ROUND = """
import sys, time
import psycopg, pgqueue
from pgqueue.migrate import migrate
dsn, jobs = sys.argv[1], int(sys.argv[2])
migrate(dsn)
target = "shop.tasks:send_receipt"
with psycopg.connect(dsn) as conn:
    # What is imported and planned once is no part of it.
    pgqueue.enqueue(conn, target, [0])
    pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, [0])] * 1000)
    conn.rollback()
    began = time.perf_counter()
    for number in range(jobs):
        pgqueue.enqueue(conn, target, [number])
    single = jobs / (time.perf_counter() - began)
    conn.rollback()
    new = [pgqueue.NewJob(target, [number]) for number in range(jobs)]
    began = time.perf_counter()
    for _ in range(4):
        pgqueue.enqueue_many(conn, new)
    many = 4 * jobs / (time.perf_counter() - began)
    conn.rollback()
print(single, many)
"""
WAYS = ("enqueue, one a call", "enqueue_many, 5,000 a call")


def main() -> None:
    """Measure both, in turns."""
    options = argparse.ArgumentParser(prog="python -m bench.enqueueing", description=__doc__)
    options.add_argument("--before", metavar="COMMIT", required=True, help="the earlier commit, or a checkout of it")
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    folders = {"now": ROOT, "before": earlier.checkout(given.before)}
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in folders}
    with durable_server() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            for name in folders:
                admin.execute(f"create database {name}")
        for _ in range(given.rounds):
            for name, folder in folders.items():
                rates[name].append(_round(folder, server.dsn(name)))
    for place, way in enumerate(WAYS):
        of = {name: [each[place] for each in found] for name, found in rates.items()}
        ratios = [now / before for now, before in zip(of["now"], of["before"], strict=True)]
        now, before = (statistics.median(of[name]) for name in ("now", "before"))
        print(f"{way}: {now:,.0f} /s now, {before:,.0f} /s before: {now / before:.3f}", end="")
        print(f" ({min(ratios):.3f}-{max(ratios):.3f} by rounds)")


def _round(folder: Path, dsn: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", ROUND, dsn, str(JOBS)],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    single, many = map(float, done.stdout.split())
    return single, many


if __name__ == "__main__":
    main()
