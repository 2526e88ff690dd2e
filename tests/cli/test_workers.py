"""`pgqueue workers`: what it asks of which worker, and what it says where there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

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


def test_a_worker_stops_when_it_is_asked_from_elsewhere(
    pgqueue: Command, start: Start, conn: psycopg.Connection[object]
) -> None:
    conn.autocommit = True
    process = start("worker", "-A", SHOP, "-x", "thread")
    (row,) = wait_until(lambda: execute(conn, workers.rows()), 30)
    assert pgqueue("workers", "stop", row.id).code == 0
    assert process.wait(30) == 0
