"""`python -m bench.batches`: a row each for many jobs, written by one call a job and by one call a batch, by turns.

The same worker, the same work: an INSERT in the job's own transaction, and in a batch's with executemany and with COPY.
Prints jobs a second of each, and the ratio of each round.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg

from pgqueue import Batch, NewJob, embedded, enqueue_many, task
from pgqueue.migrate import migrate

JOBS, ROUNDS, SIZE, CONCURRENCY = 20_000, 3, 100, 2


@task(transactional=True)
def one(conn: psycopg.Connection[Any], number: int) -> None:
    """A job of its own."""
    conn.execute("insert into bench_rows values (%s)", (number,))


@task(batch=SIZE, transactional=True)
def by_executemany(conn: psycopg.Connection[Any], jobs: Batch[int]) -> None:
    """A hundred of them."""
    conn.cursor().executemany("insert into bench_rows values (%s)", [(job.args,) for job in jobs])


@task(batch=SIZE, transactional=True)
def by_copy(conn: psycopg.Connection[Any], jobs: Batch[int]) -> None:
    """The same, by COPY."""
    with conn.cursor().copy("copy bench_rows from stdin") as copy:
        for job in jobs:
            copy.write_row((job.args,))


WAYS = (one, by_executemany, by_copy)
_TOOK = "select extract(epoch from max(finished_at) - min(started_at))::float8 from pgqueue.attempts"


def main() -> None:
    """Measure, and print the ratios."""
    options = argparse.ArgumentParser(prog="python -m bench.batches", description=__doc__)
    options.add_argument("--jobs", type=int, default=JOBS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--executor", default="thread", choices=["thread", "process"])
    given = options.parse_args()
    with _server() as dsn:
        rounds = [[_drain(dsn, way.target, given) for way in WAYS] for _ in range(given.rounds)]
    for number, way in enumerate(WAYS):
        rates = [each[number] for each in rounds]
        ratios = [each[number] / each[0] for each in rounds]
        print(
            f"{given.executor:8} {way.__name__:15} median {median(rates):9,.0f} jobs/s"
            f"   {median(ratios):5.2f} x ({min(ratios):.2f}-{max(ratios):.2f})"
        )


def _drain(dsn: str, target: str, given: argparse.Namespace) -> float:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("truncate bench_rows, pgqueue.attempts")
        enqueue_many(conn, [NewJob(target, [number]) for number in range(given.jobs)])
        conn.execute("vacuum analyze pgqueue.jobs")
    command = [sys.executable, "-m", "pgqueue", "--dsn", dsn, "worker", "-A", "bench.batches"]
    subprocess.run(
        [*command, "--burst", "-c", str(CONCURRENCY), "-x", given.executor],
        check=True,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    with psycopg.connect(dsn) as conn:
        (count,) = conn.execute("select count(*) from bench_rows").fetchone() or (0,)
        # From the first start to the last end: not how long a worker takes to begin.
        (seconds,) = conn.execute(_TOOK).fetchone() or (0,)
    assert count == given.jobs, f"{count} rows of {given.jobs}"
    return float(given.jobs / seconds)


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, embedded.open(f"embedded:{folder}/postgres") as database:
        migrate(database.dsn)
        with psycopg.connect(database.dsn) as conn:
            conn.execute("create table bench_rows (value int)")
        yield database.dsn


if __name__ == "__main__":
    # The tasks are those of the module, not of __main__.
    from bench import batches

    batches.main()
