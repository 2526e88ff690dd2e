"""`pgqueue queues whatif`, and the same on the queue's page: arithmetics on what workers counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.buckets import BUCKETS, bucket_of
from pgqueue.store import execute, limits, queues, tallies
from tests import factories
from tests.cli.conftest import Command
from tests.conftest import Connect

Conn = psycopg.Connection[Any]


@pytest.fixture
def conn(connect: Connect) -> Conn:
    """As a person has it: what is done is there for all."""
    return connect(autocommit=True)


def last_hour(conn: Conn, *, into: int, out: int, ready: int) -> None:
    """Each minute so many jobs came and went, of 3 s or so, and so many waited at its end."""
    run = [0] * BUCKETS
    run[bucket_of(3.6)] = out
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for minute in range(1, 70):
        at = now - timedelta(minutes=minute)
        row = {"minute": at.isoformat(), "queue": "mail", "target": "a:b", "outcome": "succeeded", "n": out}
        execute(conn, tallies.append(json.dumps([{**row, "ended": out, "run": run}])))
        conn.execute(
            "insert into pgqueue.depths (minute, queue, ready, later, running, dead, entered, exact)"
            " values (%s, 'mail', %s, 0, 0, 0, %s, true)",
            [at, ready, into],
        )


@pytest.fixture
def behind(conn: Conn) -> Conn:
    """A queue to which more comes than its three slots can do."""
    last_hour(conn, into=60, out=30, ready=100)
    worker = factories.enlist(conn, concurrency=3)
    conn.execute("update pgqueue.workers set queues = '{mail}' where id = %s", [worker])
    for _ in range(5):
        factories.enqueue(conn, queue="mail")
    return conn


@pytest.mark.usefixtures("behind")
def test_more_slots_and_a_pause_are_calculated_from_the_last_hour(pgqueue: Command) -> None:
    ran = pgqueue("queues", "whatif", "mail", "--slots", "+6", "--pause", "10m")
    assert ran.code == 0, ran.err
    assert "arithmetics on the last hour, not a promise" in ran.out.lower()
    assert "never" in ran.out
    found = pgqueue("queues", "whatif", "mail", "--slots", "+6", "--pause", "10m", "--json").json
    assert found["ready"] == 5
    assert (found["now"]["in_per_min"], found["now"]["out_per_min"]) == (pytest.approx(60), pytest.approx(30))
    assert found["now"]["drain"] is None
    assert (found["then"]["slots"], found["then"]["out_per_min"]) == (9, pytest.approx(90))
    assert found["then"]["drain"] == pytest.approx(600 + (5 + 600) / (30 / 60))
    assert found["then"]["soonest"] == pytest.approx(found["then"]["latest"])


def test_its_limit_and_its_pause_are_told(pgqueue: Command, behind: Conn) -> None:
    execute(behind, limits.put("queue", "mail", 4, None, None, None, None, None))
    execute(behind, queues.pause("mail", None))
    ran = pgqueue("queues", "whatif", "mail", "--slots", "20")
    assert "no more than 4 run at once" in ran.err
    assert "mail is paused" in ran.err


def test_of_a_queue_in_which_nothing_ended_nothing_is_told(pgqueue: Command, conn: Conn) -> None:
    factories.enqueue(conn, queue="mail")
    ran = pgqueue("queues", "whatif", "mial", "--slots", "+1")
    assert ran.code == 0
    assert "no job has ended" in ran.out
    assert "did you mean mail?" in ran.err
    assert pgqueue("queues", "whatif", "mail", "--json").json["then"] is None
    assert pgqueue("queues", "whatif", "mail", "--slots", "lots").code == 2
