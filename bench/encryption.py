"""What encryption costs, beside the same without: in Python a value, and through a database a job.

`python -m bench.encryption` prints microseconds a call; with PGQUEUE_DSN, in a scratch database on that server (whose
role may make databases), also jobs a second, enqueued one by one, copied, and drained by a worker of threads, by turns.
"""

from __future__ import annotations

import json
import os
import statistics
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgqueue
from bench.typed_tasks import plain
from pgqueue import encryption
from pgqueue.codec import args_of
from pgqueue.encryption import Kind, Place
from pgqueue.ids import new_job_id
from pgqueue.job import Claim
from pgqueue.keyring import Key, KeyKind, Keyring
from pgqueue.migrate import migrate
from pgqueue.store.kept_args import kept_args
from pgqueue.worker.attempts.call import prepare

NAME = "pgqueue_bench_encryption"
ROUNDS, CALLS = 7, 20_000
ONE_BY_ONE, COPIED = 1_000, 5_000
KEYS = Keyring([Key("k1", KeyKind.SECRET, bytes(range(32)))])
# Arguments of about 120 bytes.
ARGS = {"order_id": 4711, "copies": 1, "note": "the quick brown fox jumps over the lazy dog, and over a fence"}


def main() -> None:
    """Print each figure."""
    in_python()
    if dsn := os.environ.get("PGQUEUE_DSN"):
        with scratch(dsn) as own:
            through_a_database(own)


def in_python() -> None:
    """A value, and a job's way from claim to call."""
    job = plain.job(**ARGS)
    text, job_id = args_of(job), new_job_id()
    print(f"{'without keys: a new job asks':38} {_best(lambda: kept_args(job, text, job_id)):6.2f} µs")
    claim = _claim(text)
    print(f"{'without keys: from claim to call':38} {_best(lambda: prepare(claim, {}, ['bench'], 0.0)):6.2f} µs")
    encryption.encrypt_with(KEYS)
    plain.__dict__.pop("is_plain", None)
    place = Place(Kind.ARGS, claim.id)
    for size in (100, 1_000, 10_000, 100_000):
        content = json.dumps("x" * size)
        value = json.loads(encryption.encrypted(content, place))
        name = f"a text of {size:,} bytes"
        calls = max(200, CALLS * 100 // size)
        print(f"{f'{name}: encrypted':38} {_best(lambda: encryption.encrypted(content, place), calls):6.2f} µs")  # noqa: B023
        print(f"{f'{name}: decrypted':38} {_best(lambda: encryption.decrypted(value, place), calls):6.2f} µs")  # noqa: B023
        print(f"{f'{name}: stands as':38} {len(json.dumps(value)):,} bytes")
    sealed = claim._replace(args=encryption.encrypted(text, place))
    print(f"{'with keys: from claim to call':38} {_best(lambda: prepare(sealed, {}, ['bench'], 0.0)):6.2f} µs")
    encryption.encrypt_with(None)
    plain.__dict__.pop("is_plain", None)


def through_a_database(dsn: str) -> None:
    """Jobs a second, without and with."""
    took: dict[tuple[str, str], list[float]] = {}
    with psycopg.connect(dsn, autocommit=True) as conn:
        for _ in range(ROUNDS):
            for name, keys in (("without", None), ("with", KEYS)):
                encryption.encrypt_with(keys)
                plain.__dict__.pop("is_plain", None)
                took.setdefault(("one by one", name), []).append(_rate(ONE_BY_ONE, lambda: _one_by_one(conn)))
                took.setdefault(("copied", name), []).append(_rate(COPIED, lambda: _copied(conn)))
                took.setdefault(("drained", name), []).append(_rate(ONE_BY_ONE + COPIED, lambda: _drained(dsn)))
    for way in ("one by one", "copied", "drained"):
        base, encrypted = (statistics.median(took[way, name]) for name in ("without", "with"))
        print(f"{way:12} {base:9,.0f} jobs/s without, {encrypted:9,.0f} with: {encrypted / base:.2f}")


def _one_by_one(conn: Any) -> None:
    for _ in range(ONE_BY_ONE):
        pgqueue.enqueue(conn, plain, ARGS)


def _copied(conn: Any) -> None:
    pgqueue.enqueue_many(conn, [pgqueue.NewJob(plain, ARGS)] * COPIED)


def _drained(dsn: str) -> None:
    worker = pgqueue.Worker(dsn, app=["bench.typed_tasks"], executor="thread", concurrency=4, burst=True, observers=[])
    assert worker.run() == 0


def _rate(jobs: int, act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return jobs / (time.perf_counter() - began)


def _best(act: Callable[[], Any], calls: int = CALLS) -> float:
    return min(timeit.repeat(act, number=calls, repeat=ROUNDS)) / calls * 1e6


def _claim(args: str) -> Claim:
    now = datetime.now(UTC)
    return Claim(new_job_id(), 1, 1, 0, None, None, None, 5, "default", plain.target, args, None, now, 1)


@contextmanager
def scratch(dsn: str) -> Iterator[str]:
    """A database of its own, gone behind the block."""
    name = sql.Identifier(NAME)
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        admin.execute(sql.SQL("create database {}").format(name))
        try:
            own = make_conninfo(dsn, dbname=NAME)
            migrate(own)
            yield own
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(name))


if __name__ == "__main__":
    main()
