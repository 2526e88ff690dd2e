"""`python -m bench.workflows [chord|chain|graph|control]`: workflows beside plain jobs, by turns, in one database.

chord      a group and one callback, drained beside as many plain jobs, by 1 and by 4 workers
chain      the gap between two steps, beside how long a lone job waits for an idle worker
graph      enqueueing nodes in layers, each behind all of the layer before, beside enqueue_many()
control    cancelling and retrying a workflow, beside claims of others: their p95
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from statistics import median, quantiles
from typing import Any
from uuid import UUID

import psycopg

import pgqueue
from pgqueue import embedded
from pgqueue.migrate import migrate
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, jobs, workers
from pgqueue.store.jobs import Slot

MEMBERS, ROUNDS, STEPS, NODES, WIDTH = 100_000, 3, 1_000, 10_000, 100
Conn = psycopg.Connection[Any]


@pgqueue.task
def nothing(*_: Any) -> None:
    """Do nothing."""


@pgqueue.task(store_result=True)
def clocked() -> float:
    """When it began: not when the database learned of its claim, which is a round trip before."""
    return time.time()


def main() -> None:
    """Measure, and print medians, their ratios and their spread."""
    options = argparse.ArgumentParser(prog="python -m bench.workflows", description=__doc__)
    options.add_argument("what", nargs="*", choices=[*MEASURES, []], default=[])
    options.add_argument("--members", type=int, default=MEMBERS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("-x", "--executor", default="thread", choices=["thread", "process", "async"])
    given = options.parse_args()
    with _server() as dsn:
        for name in given.what or MEASURES:
            MEASURES[name](dsn, given)


def chord(dsn: str, given: argparse.Namespace) -> None:
    """Drain a group and its callback, and as many plain jobs."""
    for count in (1, 4):
        rounds = []
        for _ in range(given.rounds):
            plain = _drained(dsn, given, count, _plain(given.members))
            rounds.append((plain, _drained(dsn, given, count, _grouped(given.members))))
        _print(f"chord of {given.members:,}, {count} workers, jobs/s", rounds)
    with psycopg.connect(dsn) as conn:
        print("deadlocks", _one(conn, "select deadlocks from pg_stat_database where datname = current_database()"))


def chain(dsn: str, given: argparse.Namespace) -> None:
    """Run a chain, and lone jobs, with a worker that is idle before each."""
    rounds = []
    for _ in range(given.rounds):
        with _worker(dsn, given), psycopg.connect(dsn, autocommit=True) as conn:
            _clear(conn)
            alone = []
            for _ in range(100):
                job = clocked.enqueue(conn)
                sent = time.time()
                alone.append(1000 * (clocked.result(conn, job, 60) - sent))
                time.sleep(0.02)
            _clear(conn)
            started = pgqueue.chain(*[clocked.job()] * STEPS).enqueue(conn)
            pgqueue.wait_workflow(conn, started, 300)
            sql = "select result::text::float8 from pgqueue.results where workflow_id = %s order by job_id"
            begun = [float(row[0]) for row in conn.execute(sql, [started.id])]
            gaps = [1000 * (second - first) for first, second in pairwise(begun)]
            rounds.append((median(alone), median(gaps)))
    _print(f"chain of {STEPS:,}, ms from commit to start of a lone job, from start to start of steps", rounds)


def graph(dsn: str, given: argparse.Namespace) -> None:
    """Enqueue a graph, and as many plain jobs."""
    rounds = []
    with psycopg.connect(dsn) as conn:
        for _ in range(given.rounds):
            begun = time.perf_counter()
            pgqueue.enqueue_many(conn, [nothing.job(n) for n in range(NODES)])
            plain = time.perf_counter() - begun
            conn.rollback()
            begun = time.perf_counter()
            flow = pgqueue.Workflow("layers")
            layer: list[pgqueue.Node] = []
            for first in range(0, NODES, WIDTH):
                layer = [flow.add(nothing, n, after=layer) for n in range(first, first + WIDTH)]
            flow.enqueue(conn)
            rounds.append((NODES / plain, NODES / (time.perf_counter() - begun)))
            conn.rollback()
    _print(f"graph of {NODES:,} nodes, {WIDTH} wide, enqueued jobs/s", rounds)


def control(dsn: str, given: argparse.Namespace) -> None:
    """Claim jobs of another queue in peace, and while a workflow is cancelled, and one is retried."""
    for name, call in (("cancel", pgqueue.cancel_workflow), ("retry", pgqueue.retry_workflow)):
        rounds = []
        for _ in range(given.rounds):
            with psycopg.connect(dsn, autocommit=True) as conn:
                _clear(conn)
                pgqueue.enqueue_many(conn, [nothing.using(queue="others").job(n) for n in range(60_000)])
                started = pgqueue.map(nothing, range(given.members), then=nothing.job()).enqueue(conn)
                if name == "retry":
                    _bury(conn, started.id)
                conn.execute("vacuum analyze")
            peace = _claims(dsn, lambda: time.sleep(3))
            took = time.perf_counter()
            busy = _claims(dsn, partial(_all_of, dsn, call, started))
            rounds.append((peace, busy))
            print(f"  {name} of {given.members:,} took {time.perf_counter() - took:.1f} s")
        _print(f"{name} of {given.members:,}: p95 of others' claims, ms", rounds)


MEASURES: dict[str, Callable[[str, argparse.Namespace], None]] = {
    "chord": chord,
    "chain": chain,
    "graph": graph,
    "control": control,
}


def _print(what: str, rounds: Sequence[tuple[float, float]]) -> None:
    ratios = [second / first for first, second in rounds]
    plain, other = (median(each[number] for each in rounds) for number in (0, 1))
    print(f"{what}: {plain:,.2f}, {other:,.2f}; {median(ratios):.2f} x ({min(ratios):.2f}-{max(ratios):.2f})")


def _plain(count: int) -> Callable[[Conn], None]:
    return lambda conn: void(pgqueue.enqueue_many(conn, [nothing.job(n) for n in range(count)]))


def _grouped(count: int) -> Callable[[Conn], None]:
    return lambda conn: void(
        pgqueue.map(nothing, range(count), then=nothing.using(labels={"is": "then"}).job()).enqueue(conn)
    )


def void(_: object) -> None:
    """For what answers something that nobody needs."""


def _drained(dsn: str, given: argparse.Namespace, count: int, fill: Callable[[Conn], None]) -> float:
    with psycopg.connect(dsn, autocommit=True) as conn:
        _clear(conn)
        with conn.transaction():
            fill(conn)
        conn.execute("vacuum analyze")
    processes = [subprocess.Popen([*_command(dsn, given), "--burst"], **_QUIET) for _ in range(count)]
    for process in processes:
        assert process.wait(900) == 0
    with psycopg.connect(dsn) as conn:
        called = _one(conn, "select count(*) from pgqueue.attempts where labels ->> 'is' = 'then'")
        done = _one(conn, "select count(*) from pgqueue.attempts")
        assert done == given.members + called, f"{done} attempts"
        assert called <= 1, f"the callback ran {called} times"
        assert not _one(conn, "select count(*) from pgqueue.waiting"), "the callback was lost"
        return float(done / _one(conn, _TOOK))


def _claims(dsn: str, meanwhile: Callable[[], object]) -> float:
    """The p95 of claims of ten jobs, in ms, while something else goes on."""
    times: list[float] = []
    other = threading.Thread(target=meanwhile)
    with psycopg.connect(dsn, autocommit=True) as conn:
        worker = int.from_bytes(os.urandom(7), "big") + 1
        execute(conn, workers.enlist(worker, "bench", 1, ["others"], "thread", 10, timedelta(seconds=600)))
        slots = [Slot("others", 5, datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))]
        done: list[Settlement] = []
        other.start()
        while other.is_alive():
            begun = time.perf_counter()
            claims = execute(conn, jobs.step(worker, done, slots, timedelta(0), 10)).claims
            times.append((time.perf_counter() - begun) * 1000)
            done = [Settlement(each.id, each.claim, Move.SUCCEED, "succeeded") for each in claims]
            if claims:
                slots = [Slot("others", 5, claims[-1].run_at, claims[-1].id)]
            time.sleep(0.002)
        execute(conn, jobs.step(worker, done, [], timedelta(0), 0))
    return quantiles(times, n=20)[-1]


def _all_of(dsn: str, call: Callable[..., Any], started: pgqueue.Started) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        while call(conn, started):
            pass


def _bury(conn: Conn, workflow: UUID) -> None:
    """Have all its members dead, as they were found."""
    columns = "id, run_at, created_at, timeout, claim, priority, attempt, crashes, max_attempts, store_result, queue"
    more = "target, args, labels, workflow_id, node, success_links, failure_links"
    conn.execute(
        f"""
        with gone as (delete from pgqueue.jobs where workflow_id = %s returning *)
        insert into pgqueue.dead_jobs ({columns}, {more}, reason) select {columns}, {more}, 'exhausted' from gone
        """,
        [workflow],
    )


@contextmanager
def _worker(dsn: str, given: argparse.Namespace) -> Iterator[None]:
    process = subprocess.Popen(_command(dsn, given), **_QUIET)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _command(dsn: str, given: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "pgqueue", "--dsn", dsn, "worker", "-A", "bench.workflows"]
    return [*command, "-c", "2", "-x", given.executor]


_QUIET: dict[str, Any] = {"stderr": subprocess.DEVNULL, "env": {**os.environ, "PYTHONPATH": os.getcwd()}}
_TOOK = "select extract(epoch from max(finished_at) - min(started_at))::float8 from pgqueue.attempts"
_TABLES = "jobs, attempts, dead_jobs, results, workflows, nodes, gates, waiting, arrivals"


def _clear(conn: Conn) -> None:
    conn.execute(f"truncate {', '.join(f'pgqueue.{table}' for table in _TABLES.split(', '))}")


def _one(conn: Conn, sql: str) -> Any:
    row = conn.execute(sql).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, embedded.open(f"embedded:{folder}/postgres") as database:
        migrate(database.dsn)
        yield database.dsn


if __name__ == "__main__":
    # The task is that of the module, not of __main__.
    from bench import workflows

    workflows.main()
