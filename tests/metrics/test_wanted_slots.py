"""How many slots a queue wants: right for what waits and runs, and asked without a walk of what is there."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from pgqueue.bench.growth import Shape, fill
from tests.conftest import Connect
from tests.factories import Conn, claim, enlist, enqueue, settle
from tests.store.plans import plans_of, rows_read, scans


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


def wanted(conn: Conn, queue: str = "default", wait: str = "30 s") -> int:
    row = conn.execute("select pgqueue.wanted_slots(%s, %s)", [queue, wait]).fetchone()
    assert row is not None
    return int(row[0])


def run(conn: Conn, jobs: int, seconds: float) -> None:
    """So many jobs have run, for so long each."""
    for _ in range(jobs):
        enqueue(conn)
    claims = claim(conn, enlist(conn), jobs)
    conn.execute("update pgqueue.jobs set started_at = now() - make_interval(secs => %s)", [seconds])
    settle(conn, *claims)


def test_an_empty_queue_wants_none(db: Conn) -> None:
    assert wanted(db) == 0


@pytest.mark.parametrize(
    ("seconds", "jobs", "wait", "slots"),
    [(3.0, 20, "30 s", 2), (3.0, 20, "10 s", 6), (3.0, 1, "1 h", 1), (3.0, 20, "1 s", 20)],
)
def test_what_is_ready_wants_slots_enough_to_begin_in_time(
    db: Conn, seconds: float, jobs: int, wait: str, slots: int
) -> None:
    run(db, 5, seconds)
    for _ in range(jobs):
        enqueue(db)
    # A little over three seconds each, by the time that the test takes.
    assert slots <= wanted(db, wait=wait) <= slots + 1


def test_what_runs_keeps_its_slots(db: Conn) -> None:
    for _ in range(4):
        enqueue(db)
    claim(db, enlist(db, concurrency=4), 4)
    assert wanted(db, wait="1 h") == 4


def test_a_paused_queue_wants_none_for_what_waits(db: Conn) -> None:
    enqueue(db)
    db.execute("select pgqueue.pause_queue('default')")
    assert wanted(db) == 0


def test_what_is_due_later_wants_none(db: Conn) -> None:
    enqueue(db, delay=3600)
    assert wanted(db) == 0


def test_jobs_of_which_nothing_is_known_are_taken_for_ones_of_a_second(db: Conn) -> None:
    for _ in range(60):
        enqueue(db)
    assert wanted(db) == 2


def test_of_a_rare_queue_it_is_known_what_its_jobs_took_yesterday(db: Conn) -> None:
    told = {"queue": "rare", "target": "a:b", "outcome": "succeeded", "n": 10, "ended": 10}
    # Between 330 and 720 seconds.
    runs = [0] * 17 + [10] + [0] * 7
    counted = told | {"run": runs, "wait": runs}
    db.execute("select pgqueue.tally(%s)", [json.dumps([counted])])
    for _ in range(20):
        enqueue(db, queue="rare")
    assert 10 <= wanted(db, "rare", "10 min") <= 20


@pytest.mark.parametrize("arguments", ["'mail', '0'", "'mail', '-1 s'", "null, '1 s'", "'mail', null"])
def test_a_wait_of_nothing_is_refused(db: Conn, arguments: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="target_wait must be more than 0"):
        db.execute(f"select pgqueue.wanted_slots({arguments})")


@pytest.mark.parametrize("analysed", [True, False])
def test_it_reads_a_bounded_number_of_rows(db: Conn, dsn: str, analysed: bool) -> None:
    fill(dsn, Shape(name="much", ready=30_000, future=10_000, foreign=10_000, history=30_000))
    db.execute("update pgqueue.attempts set started_at = finished_at - interval '1 s'")
    if analysed:
        db.execute("analyze pgqueue.jobs, pgqueue.attempts")
    answers: list[Any] = []
    plans = plans_of(db, lambda: answers.append(wanted(db)))
    kinds = {node["Node Type"] for node in scans(plans)}
    assert kinds <= {"Index Scan", "Index Only Scan", "Sample Scan"}
    # 10,000 jobs of the queue on each side of now, 2,000 attempts, and a sample of 2,000 pages.
    assert rows_read([plan for plan in plans if "Sample Scan" not in str(plan)]) <= 25_000
    assert 300 <= answers[0] <= 3_000
