"""What must stay cheap, counted and not timed: buffers and rows of a claim, WAL, transactions, round trips.

The plans themselves, and claims in a million jobs, are in test_plans.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.bench.claiming import Claimant
from pgqueue.bench.counters import counters
from pgqueue.bench.growth import Shape, fill
from pgqueue.embedded import Server
from pgqueue.events import AttemptsFinished
from tests.conftest import Connect
from tests.factories import Conn, count
from tests.waiting import wait_until
from tests.worker.running import ThreadedWorker

NOOP = "pgqueue.bench.tasks:nothing"
BATCH = 50
CROWD = 50_000

SHAPES = [
    Shape(name="few", ready=1_000),
    Shape(name="many ready", ready=CROWD),
    Shape(name="many in the future", ready=1_000, future=CROWD),
    Shape(name="many of another queue", ready=1_000, foreign=CROWD),
    Shape(name="many of another priority", ready=1_000, lower=CROWD),
    Shape(name="much history", ready=1_000, history=CROWD),
]


@pytest.fixture
def claimant(dsn: str) -> Iterator[Callable[..., Claimant]]:
    """A worker that runs nothing, on the test's database."""
    made: list[Claimant] = []

    def claimant(*queues: str) -> Claimant:
        made.append(Claimant(dsn, list(queues)))
        return made[-1]

    yield claimant
    for each in made:
        each.close()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_claim_touches_what_it_takes_whatever_stands_around_it(
    dsn: str, claimant: Callable[..., Claimant], shape: Shape
) -> None:
    fill(dsn, shape)
    worker = claimant(*shape.served)
    # The session reads the catalogs first.
    worker.step(BATCH)
    # Two versions of each row in the heap, and its way down the index; ten slots.
    assert worker.buffers(BATCH) < 7 * BATCH + 100


def test_a_queue_more_costs_the_heads_of_its_slots(dsn: str, claimant: Callable[..., Claimant]) -> None:
    shape = Shape(name="queues", ready=10_000, queues=20)
    fill(dsn, shape)
    worker = claimant(*shape.served)
    worker.step(BATCH)
    # Twice a descent of the index, for each queue at each of ten priorities.
    assert worker.buffers(BATCH) < 7 * BATCH + 100 + 20 * 10 * 8


def test_a_claim_among_ten_thousand_queues_touches_what_it_takes(dsn: str, claimant: Callable[..., Claimant]) -> None:
    shape = Shape(name="queues", ready=20_000, queues=10_000)
    fill(dsn, shape)
    worker = claimant(*shape.served)
    for _ in range(5):
        worker.step(BATCH)
        assert worker.held == BATCH
    # As above; and a descent of the claim's index, and of that of paused queues, for each slot that it is offered.
    assert worker.buffers(BATCH) < 7 * BATCH + 100 + 10 * BATCH


def test_claims_read_no_more_rows_than_they_take(dsn: str, conn: Conn, claimant: Callable[..., Claimant]) -> None:
    fill(dsn, SHAPES[3])
    before = _rows_read(conn)
    worker = claimant("default")
    for _ in range(10):
        worker.step(BATCH)
    worker.close()
    # A session says what it did when it ends. Each row is found once; heads and next due times are looked up besides.
    read = wait_until(lambda: (found := _rows_read(conn) - before) >= 10 * BATCH and found)
    assert read <= 3 * 10 * BATCH


@pytest.mark.parametrize("how", ["in bulk", "one by one"])
def test_a_job_writes_little_wal_from_enqueue_to_end(dsn: str, claimant: Callable[..., Claimant], how: str) -> None:
    jobs = 1_000
    worker = claimant("default")
    with psycopg.connect(dsn, autocommit=True) as conn:
        before = counters(conn)
        if how == "in bulk":
            pgqueue.enqueue_many(conn, [pgqueue.NewJob(NOOP, [number]) for number in range(jobs)])
        else:
            for number in range(jobs):
                pgqueue.enqueue(conn, NOOP, [number])
        ended = 0
        while ended < jobs:
            worker.step(200)
            ended += worker.held
        worker.step(0)
        assert count(conn, "attempts") == jobs
        written = (counters(conn) - before).wal_bytes / jobs
    assert written <= 1200


@pytest.mark.parametrize("executor", ["thread", "async", "process"])
def test_a_drain_takes_few_transactions(dsn: str, executor: str) -> None:
    jobs = 10_000
    with psycopg.connect(dsn, autocommit=True) as conn:
        pgqueue.enqueue_many(conn, [pgqueue.NewJob(NOOP, [number]) for number in range(jobs)])
        before = counters(conn)
        worker = ThreadedWorker(dsn, executor=executor, app=["pgqueue.bench.tasks"], burst=True)
        assert worker.join(120) == 0
        spent = counters(conn, deleted=jobs) - before
    assert spent.deleted == jobs
    assert spent.transactions / jobs <= 0.05


def test_a_lone_job_takes_one_step_to_claim_and_one_to_settle(server: Server, database: str, dsn: str) -> None:
    jobs = 50
    # From another database: what asks is not to be counted.
    with psycopg.connect(server.dsn("postgres", tcp=True), autocommit=True) as watcher:
        before = _transactions(watcher, database)
        worker = ThreadedWorker(dsn, executor="thread", app=["pgqueue.bench.tasks"], queues=["default"], poll=60.0)
        with psycopg.connect(dsn, autocommit=True) as conn:
            for number in range(jobs):
                pgqueue.enqueue(conn, NOOP, [number])
                wait_until(lambda sent=number + 1: _ended(worker) == sent)  # type: ignore[misc]  # bound early
        # Sessions say what they did when they end.
        assert worker.stop() == 0
        spent = wait_until(lambda: (found := _transactions(watcher, database) - before) > 2 * jobs and found)
    # The enqueue, the two steps, and less than one more that looks for others; to begin and to end takes some, too.
    assert spent <= 4 * jobs + 90


def _ended(worker: ThreadedWorker) -> int:
    return sum(len(event.batch) for event in worker.heard(AttemptsFinished))


def _transactions(watcher: Conn, database: str) -> int:
    row = watcher.execute("select xact_commit from pg_stat_database where datname = %s", [database]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("size", [10, 10_000])
def test_enqueue_many_takes_the_same_few_round_trips_for_any_number(conn: Conn, size: int) -> None:
    conn.execute("select 1")
    new_jobs = [pgqueue.NewJob(NOOP, [number]) for number in range(size)]
    assert _round_trips(conn, lambda: pgqueue.enqueue_many(conn, new_jobs)) <= 5


def test_one_enqueue_is_one_round_trip(conn: Conn) -> None:
    conn.execute("select 1")
    assert _round_trips(conn, lambda: pgqueue.enqueue(conn, NOOP, [1])) == 1


def test_a_busy_system_sends_no_notification(dsn: str, connect: Connect, claimant: Callable[..., Claimant]) -> None:
    listener = connect(autocommit=True)
    listener.execute("listen pgqueue")
    worker = claimant("default")
    with psycopg.connect(dsn, autocommit=True) as conn:
        for number in range(50):
            pgqueue.enqueue(conn, NOOP, [number])
            pgqueue.enqueue_many(conn, [pgqueue.NewJob(NOOP, [number])] * 3)
            worker.step(4)
    worker.step(0)
    assert list(listener.notifies(timeout=0.05)) == []


def _rows_read(conn: Conn) -> int:
    """Entries of the claim's index that were read so far, by sessions that have ended or said so."""
    conn.execute("select pg_stat_clear_snapshot()")
    row = conn.execute("select idx_tup_read from pg_stat_user_indexes where indexrelname = 'jobs_claim'").fetchone()
    conn.rollback()
    assert row is not None
    return int(row[0])


def _round_trips(conn: psycopg.Connection[Any], act: Callable[[], object]) -> int:
    """How often the client waited for the server: as often as the server said that it is ready for the next."""
    with tempfile.TemporaryFile() as trace:
        conn.pgconn.trace(trace.fileno())
        act()
        conn.pgconn.untrace()
        trace.seek(0)
        return trace.read().count(b"ReadyForQuery")
