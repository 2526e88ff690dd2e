"""The clients that are measured, each a process of its own: `python -m pgqueue.bench.client` answers JSON lines.

The same requests that adapters of other queues answer (bench/peers/README.md), and those of the raw ceilings.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg

import pgqueue
from pgqueue.bench import bare_drain, bare_enqueue, bare_pickup, claiming, keyed_claims
from pgqueue.bench.arrivals import Arrivals

Answer = dict[str, Any]

SPAN = "pgqueue.bench.tasks:span"
NOOP = "pgqueue.bench.tasks:nothing"
REPORT = "pgqueue.bench.tasks:report"
WARM_UP = 50
# Jobs in one call, so that no client holds a million of them.
CHUNK = 10_000
# A load comes in bursts of so many seconds.
BURST = 0.01


def main() -> None:
    """Answer requests until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = REQUESTS[request.pop("do")](**request)
        except Exception as error:  # Whatever goes wrong, the runner says it in its table.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


class Producer:
    """The connection that a client keeps from `open` on, as an application would."""

    conn: psycopg.Connection[Any] | None = None

    def open(self, dsn: str) -> Answer:
        """Connect, and warm up with a few jobs."""
        self.conn = psycopg.connect(dsn, autocommit=True)
        for number in range(WARM_UP):
            pgqueue.enqueue(self.conn, NOOP, [number])
        return {}

    def enqueue_one(self, seconds: float) -> Answer:
        """enqueue() on an autocommit connection: each call is a transaction."""
        assert self.conn is not None
        count = 0
        began = now = time.perf_counter()
        while now < began + seconds:
            pgqueue.enqueue(self.conn, NOOP, [count])
            count += 1
            now = time.perf_counter()
        return {"count": count, "seconds": now - began}


def enqueue_bulk(dsn: str, count: int, batch: int | None = None) -> Answer:
    """enqueue_many() of all at once, or in transactions of `batch`."""
    new_jobs = [pgqueue.NewJob(NOOP, [number]) for number in range(count)]
    with psycopg.connect(dsn) as conn:
        pgqueue.enqueue_many(conn, new_jobs[:WARM_UP])
        conn.rollback()
        began = time.perf_counter()
        for first in range(0, count, batch or count):
            pgqueue.enqueue_many(conn, new_jobs[first : first + (batch or count)])
            conn.commit()
        return {"count": count, "seconds": time.perf_counter() - began}


def enqueue_keyed(
    dsn: str, count: int, keys: int, name: str, target: str = NOOP, args: list[Any] | None = None
) -> Answer:
    """So many jobs, one of each key after the other: `name`-0, `name`-1 ..., or `name` alone if it is one key.

    Each has its number as argument, behind the first of `args` and before their rest.
    """
    with psycopg.connect(dsn) as conn:
        for first in range(0, count, CHUNK):
            numbers = range(first, min(first + CHUNK, count))
            pgqueue.enqueue_many(
                conn,
                [
                    pgqueue.NewJob(
                        target,
                        [number] if args is None else [args[0], number, *args[1:]],
                        limit_key=name if keys == 1 else f"{name}-{number % keys}",
                    )
                    for number in numbers
                ],
            )
            conn.commit()
    return {"count": count}


def spans(dsn: str, count: int, key: str) -> Answer:
    """Jobs of one key, in one transaction; milliseconds from the end of each to the start of the next.

    Raises RuntimeError if two of them overlapped.
    """
    with psycopg.connect(dsn) as conn, Arrivals() as arrivals:
        new_jobs = [pgqueue.NewJob(SPAN, [arrivals.address, number], limit_key=key) for number in range(count)]
        pgqueue.enqueue_many(conn, new_jobs)
        conn.commit()
        told = dict(arrivals.await_one() for _ in range(2 * count))
    ran = sorted((told[2 * number], told[2 * number + 1]) for number in range(count))
    gaps = [(after[0] - before[1]) / 1e6 for before, after in pairwise(ran)]
    if min(gaps) < 0:
        raise RuntimeError(f"jobs of a key that may run one at a time overlapped by {-min(gaps):.3f} ms")
    return {"latencies": gaps}


def enqueue_singly(dsn: str, count: int) -> Answer:
    """So many enqueue(), each a transaction."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        began = time.perf_counter()
        for number in range(count):
            pgqueue.enqueue(conn, NOOP, [number])
        return {"count": count, "seconds": time.perf_counter() - began}


def pickup(dsn: str, gaps: list[float], queues: list[str]) -> Answer:
    """Milliseconds from the return of enqueue()'s commit to the task's first line, one job after another.

    With several queues each has its own idle worker, the jobs go round, and nobody waits for one before the next.
    """
    with psycopg.connect(dsn, autocommit=True) as conn, Arrivals() as arrivals:

        def enqueue(number: int) -> None:
            pgqueue.enqueue(conn, REPORT, [arrivals.address, number], queue=queues[number % len(queues)])

        return {"latencies": arrivals.measure(gaps, enqueue, wait_for_each=len(queues) == 1)}


def pickup_raw(dsn: str, gaps: list[float], address: str) -> Answer:
    """The same for a bare loop of LISTEN and claim (`listen` below), notified by a bare insert."""
    with psycopg.connect(dsn, autocommit=True) as conn, Arrivals(address) as arrivals:
        arrivals.await_one()
        return {"latencies": arrivals.measure(gaps, lambda number: bare_pickup.insert_and_notify(conn, number))}


def load(dsn: str, rate: float, seconds: float, target: str = NOOP) -> Answer:
    """Enqueue no-op jobs in bursts, so many a second, for a time."""
    count = 0
    with psycopg.connect(dsn, autocommit=True) as conn:
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            if missing := int(passed * rate) - count:
                pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, [number]) for number in range(missing)])
                count += missing
            time.sleep(BURST)
    return {"count": count, "seconds": seconds}


def gaps(count: int, shortest: float, longest: float, seed: int = 1) -> list[float]:
    """Random waits between jobs, the same ones for everybody."""
    generator = random.Random(seed)
    return [generator.uniform(shortest, longest) for _ in range(count)]


_producer = Producer()
_inserter = bare_enqueue.Inserter()
REQUESTS: dict[str, Callable[..., Answer]] = {
    "open": _producer.open,
    "enqueue_one": _producer.enqueue_one,
    "open_bare": _inserter.open,
    "insert_one": _inserter.insert_one,
    "enqueue_bulk": enqueue_bulk,
    "enqueue_singly": enqueue_singly,
    "enqueue_keyed": enqueue_keyed,
    "spans": spans,
    "pickup": pickup,
    "pickup_raw": pickup_raw,
    "load": load,
    "copy": bare_enqueue.copy,
    "bare_loop": bare_drain.bare_loop,
    "listen": bare_pickup.listen,
    "claims": claiming.claims,
    "claims_beside": keyed_claims.claims_beside,
    "hold_key": keyed_claims.hold_key,
    "bounded_loop": claiming.bounded_loop,
}

if __name__ == "__main__":
    main()
