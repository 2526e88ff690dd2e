"""What pgqueue does, measured from outside: producers in this process, workers in processes of their own."""

from __future__ import annotations

import random
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

import pgqueue
from bench import tasks

WORKER = """
import sys, pgqueue
from pgqueue.worker.log import LogObserver
dsn, executor, concurrency, burst = sys.argv[1:5]
worker = pgqueue.Worker(dsn, executor=executor, concurrency=int(concurrency), app=["bench.tasks"],
                        burst=burst == "burst", observers=[LogObserver(level="warning")])
sys.exit(worker.run())
"""
# Which no-op suits which executor, and how many slots it gets on two cores.
NOOPS = {"thread": (tasks.nothing, 2), "async": (tasks.nothing_async, 100), "process": (tasks.nothing, 2)}


def enqueue_one_by_one(dsn: str, count: int) -> float:
    """enqueue() on an autocommit connection: each call is a transaction; jobs a second."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        began = time.perf_counter()
        for number in range(count):
            pgqueue.enqueue(conn, "bench.tasks:nothing", [number])
        return count / (time.perf_counter() - began)


def enqueue_in_bulk(dsn: str, count: int) -> float:
    """enqueue_many() of all at once; jobs a second."""
    new_jobs = [pgqueue.NewJob("bench.tasks:nothing", [number]) for number in range(count)]
    with psycopg.connect(dsn) as conn:
        began = time.perf_counter()
        pgqueue.enqueue_many(conn, new_jobs)
        conn.commit()
        return count / (time.perf_counter() - began)


def drain(dsn: str, count: int, executor: str) -> float:
    """One worker over `count` preloaded no-op jobs: jobs a second from the first claim to the last settlement."""
    noop, concurrency = NOOPS[executor]
    with psycopg.connect(dsn) as conn:
        pgqueue.enqueue_many(conn, [pgqueue.NewJob(noop.target, [number]) for number in range(count)])
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("vacuum analyze pgqueue.jobs")
        subprocess.run([sys.executable, "-c", WORKER, dsn, executor, str(concurrency), "burst"], check=True)
        row = conn.execute(
            "select count(*) / extract(epoch from max(finished_at) - min(started_at))::float8, count(*)"
            " from pgqueue.attempts where outcome = 'succeeded'"
        ).fetchone()
    assert row is not None
    assert row[1] == count, f"{row[1]} of {count} jobs succeeded"
    return float(row[0])


def pick_up(dsn: str, samples: int, executor: str) -> list[float]:
    """Milliseconds from the return of COMMIT to the first line of the job, of an idle worker, at random gaps."""
    with _worker(dsn, executor), psycopg.connect(dsn, autocommit=True) as conn:
        _wait_until_idle(conn)
        return _latencies(
            samples, lambda address, number: pgqueue.enqueue(conn, "bench.tasks:report", [address, number])
        )


def pick_up_raw(dsn: str, samples: int) -> list[float]:
    """The same of a bare LISTEN-then-select loop that is notified by a bare insert."""
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(dsn, autocommit=True) as conn:
        address = f"{folder}/raw"
        with _receiver(address) as receiver:
            process = subprocess.Popen([sys.executable, "-m", "bench.raw", dsn, address])
            try:
                while not Path(address + ".ready").exists():
                    time.sleep(0.01)

                def send(_address: str, number: int) -> None:
                    conn.execute(
                        "with new as (insert into pgqueue.jobs (id, target, queue)"
                        " values (pgqueue.uuid7(), 'bench.tasks:nothing', 'raw') returning id)"
                        " select pg_notify('bench_raw', %s) from new",
                        [str(number)],
                    )

                return _measure(receiver, address, samples, send)
            finally:
                process.terminate()
                process.wait()
                conn.execute("delete from pgqueue.jobs where queue = 'raw'")


def _latencies(samples: int, send: Callable[[str, int], object]) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/report"
        with _receiver(address) as receiver:
            return _measure(receiver, address, samples, send)


def _measure(receiver: socket.socket, address: str, samples: int, send: Callable[[str, int], object]) -> list[float]:
    generator = random.Random(1)
    latencies = []
    for number in range(samples):
        time.sleep(generator.uniform(0.005, 0.05))
        send(address, number)
        committed = time.perf_counter()
        ready, _, _ = select.select([receiver], [], [], 10)
        assert ready, "the job did not begin within 10 s"
        assert int(receiver.recv(100)) == number
        latencies.append((time.perf_counter() - committed) * 1000)
    return latencies


@contextmanager
def _receiver(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        yield receiver


@contextmanager
def _worker(dsn: str, executor: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", WORKER, dsn, executor, "2", "stay"])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_idle(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Until the worker's listener holds the lock by which enqueuers know that somebody idle listens."""
    while not conn.execute("select from pg_locks where locktype = 'advisory' and classid = 7702").fetchall():
        time.sleep(0.01)
