"""`pgqueue workers`: what it asks of which worker, and what it says where there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from pgqueue.store import execute, workers
from tests.cli.conftest import SHOP, Command, Start
from tests.waiting import wait_until

FIRST, SECOND = 1234500000, 1234600000
Asked = Callable[[int], str | None]


@pytest.fixture
def rows(conn: psycopg.Connection[object]) -> psycopg.Connection[object]:
    """Two workers, as far as the database knows."""
    conn.autocommit = True
    for worker in (FIRST, SECOND):
        execute(conn, workers.enlist(worker, "here", worker % 1000, None, "thread", 1, timedelta(minutes=5)))
    return conn


@pytest.fixture
def asked(rows: psycopg.Connection[object]) -> Asked:
    def asked(worker: int) -> str | None:
        (row,) = [row for row in execute(rows, workers.rows()) if row.id == worker]
        return row.asked

    return asked


def test_a_worker_is_asked_by_its_id_or_its_first_digits(pgqueue: Command, asked: Asked) -> None:
    ran = pgqueue("workers", "quiet", FIRST)
    assert (ran.code, ran.out) == (0, f"{FIRST} is asked to be quiet\n")
    assert (asked(FIRST), asked(SECOND)) == ("quiet", None)
    assert pgqueue("workers", "resume", "12345").out == f"{FIRST} may go on\n"
    assert asked(FIRST) is None
    assert pgqueue("workers", "stop", "12346").out == f"{SECOND} is asked to stop\n"
    assert asked(SECOND) == "stop"


def test_several_workers_are_asked_at_once(pgqueue: Command, asked: Asked) -> None:
    assert pgqueue("workers", "quiet", FIRST, SECOND).code == 0
    assert (asked(FIRST), asked(SECOND)) == ("quiet", "quiet")


def test_the_list_shows_what_was_asked(pgqueue: Command, rows: psycopg.Connection[object]) -> None:
    pgqueue("workers", "quiet", SECOND)
    lines = pgqueue("workers", "list").out.splitlines()
    assert lines[0].split()[-1] == "ASKED"
    assert [line.split()[-1] for line in lines[1:]] == ["alive", "quiet"]


def test_an_evicted_worker_has_no_lease_any_more(pgqueue: Command, rows: psycopg.Connection[object]) -> None:
    ran = pgqueue("workers", "evict", FIRST)
    assert ran.out == f"{FIRST} is evicted; its jobs are free for others\n"
    assert [row.alive for row in execute(rows, workers.rows()) if row.id == FIRST] == [False]


def test_a_worker_that_is_not_there_is_told_with_those_that_are(
    pgqueue: Command, rows: psycopg.Connection[object]
) -> None:
    ran = pgqueue("workers", "stop", 999)
    assert ran.code == 4
    assert f"no worker 999; there are {FIRST} (here, pid 0), {SECOND} (here, pid 0)" in ran.err


def test_without_workers_it_says_so(pgqueue: Command) -> None:
    ran = pgqueue("workers", "quiet", 7)
    assert (ran.code, ran.err) == (4, "Error: no worker 7; no worker runs\n")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("1234", "1234 begins the ids of 2 workers"),
        ("here", "a worker's id is a number, or its first digits, got 'here'"),
    ],
)
def test_an_id_that_names_no_single_worker_asks_nobody(
    pgqueue: Command, asked: Asked, given: str, message: str
) -> None:
    ran = pgqueue("workers", "evict", given)
    assert ran.code == 2
    assert message in ran.err
    assert (asked(FIRST), asked(SECOND)) == (None, None)


def test_a_worker_that_cannot_be_asked_where_its_jobs_are_is_told_of_at_once(
    pgqueue: Command, rows: psycopg.Connection[object]
) -> None:
    execute(rows, workers.heartbeat(FIRST, timedelta(minutes=5), '{"pgqueue": "0.0.1"}'))
    execute(rows, workers.heartbeat(SECOND, timedelta(minutes=5), '{"busy": 1}'))
    assert pgqueue("workers", "dump", FIRST).code == 1
    assert "it is of pgqueue 0.0.1" in pgqueue("workers", "dump", FIRST).err
    assert "it is of another language" in pgqueue("workers", "dump", SECOND).err
    assert pgqueue("workers", "dump", 99).code == 4


def test_a_worker_that_does_not_answer_is_waited_for_so_long(
    pgqueue: Command, rows: psycopg.Connection[object]
) -> None:
    ran = pgqueue("workers", "dump", FIRST, "--timeout", "0.2")
    assert (ran.code, ran.out) == (1, "")
    assert "did not answer within 0.2 s; it has not said of itself yet" in ran.err
    execute(rows, workers.heartbeat(FIRST, timedelta(minutes=5), '{"can": ["dump"]}'))
    assert "may be busy, or away" in pgqueue("workers", "dump", FIRST, "--timeout", "0.2").err


def test_where_the_jobs_of_a_worker_are_is_shown(
    pgqueue: Command, enqueue: Callable[..., str], start: Start, tmp_path: Path
) -> None:
    job = enqueue("linger", f'["{tmp_path}", 60]')
    start("worker", "-A", SHOP, "-c", "1")
    wait_until((tmp_path / "running").exists, 20, "the job's start")
    (row,) = pgqueue("workers", "list", "--json").json
    shown = pgqueue("workers", "dump", row["id"], "--threads")
    assert shown.code == 0, shown.err
    assert f"job {job} {SHOP}:linger attempt 1, for " in shown.out
    assert "in linger" in shown.out
    assert "pgqueue-heartbeat: " in shown.out
    assert pgqueue("workers", "dump", row["id"], "--json").json["jobs"][0]["job"] == job


def test_a_worker_stops_when_it_is_asked_from_elsewhere(
    pgqueue: Command, start: Start, conn: psycopg.Connection[object]
) -> None:
    conn.autocommit = True
    process = start("worker", "-A", SHOP, "-x", "thread")
    (row,) = wait_until(lambda: execute(conn, workers.rows()), 30)
    assert pgqueue("workers", "stop", row.id).code == 0
    assert process.wait(30) == 0
