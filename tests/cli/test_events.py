"""`pgqueue events`: every way in which an attempt ends is told to who follows, once, and costs nobody else anything."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, jobs
from tests import factories
from tests.cli.conftest import Command, Start
from tests.conftest import Connect
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]
HELD = "select count(*) from pg_locks where locktype = 'advisory' and classid = 7703 and granted"


@pytest.fixture
def conn(connect: Connect) -> Conn:
    """As a person has it: what is done is there for all."""
    return connect(autocommit=True)


class Following:
    """`pgqueue events -f` in a process of its own, and the lines that it has printed."""

    def __init__(self, process: subprocess.Popen[str], conn: Conn) -> None:
        self.process, self._conn = process, conn
        wait_until(self._is_listening, 60)

    def _is_listening(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        row = self._conn.execute(HELD).fetchone()
        return row is not None and row[0] > 0

    def lines(self, count: int) -> list[dict[str, Any]]:
        """The next lines."""
        assert self.process.stdout is not None
        return [json.loads(self.process.stdout.readline()) for _ in range(count)]


@pytest.fixture
def follow(start: Start, conn: Conn) -> Callable[..., Following]:
    def follow(*words: str) -> Following:
        return Following(start("events", "-f", "--json", *words), conn)

    return follow


def test_every_outcome_is_told_once_whoever_ends_the_attempt(follow: Callable[..., Following], conn: Conn) -> None:
    there = follow()
    succeeded = factories.make(conn, JobState.SUCCEEDED)
    again = factories.claim_one(conn, {"n": 1})
    factories.fail(conn, again, 0.0)
    (second,) = factories.claim(conn, again.worker)
    factories.fail(conn, second, None)
    given_back = factories.claim_one(conn)
    factories.release(conn, given_back, 60.0)
    completed = factories.claim_one(conn)
    execute(conn, jobs.complete(completed, None))
    cancelled = factories.make(conn, JobState.CANCELLED)
    lost = factories.claim_one(conn)
    factories.lose(conn, lost)
    found = there.lines(7)
    assert [(row["id"], row["outcome"], row["state"]) for row in found] == [
        (str(succeeded), "succeeded", "succeeded"),
        (str(again.id), "failed", "retrying"),
        (str(again.id), "failed", "dead"),
        (str(given_back.id), "released", "ready"),
        (str(completed.id), "succeeded", "succeeded"),
        (str(cancelled), "cancelled", "cancelled"),
        (str(lost.id), "lost", "retrying"),
    ]
    assert found[2]["reason"] == "exhausted"
    # What comes later is settled late: told as that, and nothing else is told a second time.
    factories.settle(conn, lost)
    (late,) = there.lines(1)
    assert (late["id"], late["outcome"]) == (str(lost.id), "late")


def test_only_what_a_query_asks_for_is_told(follow: Callable[..., Following], conn: Conn) -> None:
    there = follow("queue:mail args.n=7")
    for number, queue in ((7, "default"), (8, "mail"), (7, "mail")):
        factories.settle(conn, factories.claim_one(conn, {"n": number}, queue=queue))
    (found,) = there.lines(1)
    assert (found["queue"], found["outcome"]) == ("mail", "succeeded")
    assert found["elapsed"] >= 0
    assert found["waited"] >= 0
    assert {"at", "id", "claim", "attempt", "target", "worker"} <= found.keys()


def test_after_the_connection_was_lost_it_goes_on_and_says_what_it_may_have_missed(
    follow: Callable[..., Following], conn: Conn
) -> None:
    there = follow()
    conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgqueue events'")
    wait_until(lambda: conn.execute(HELD).fetchone() == (0,), 20)
    wait_until(lambda: conn.execute(HELD).fetchone() == (1,), 60)
    job = factories.make(conn, JobState.SUCCEEDED)
    assert there.lines(1)[0]["id"] == str(job)
    there.process.terminate()
    assert "the database was away" in there.process.communicate()[1]


def test_while_nobody_follows_no_end_is_told(conn: Conn, connect: Connect, follow: Callable[..., Following]) -> None:
    there = follow()
    there.process.kill()
    there.process.wait()
    wait_until(lambda: conn.execute(HELD).fetchone() == (0,), 20)
    listener = connect(autocommit=True)
    listener.execute("listen pgqueue_ended")
    claim = factories.claim_one(conn)
    factories.fail(conn, claim, 0.0)
    factories.settle(conn, *factories.claim(conn, claim.worker))
    assert list(listener.notifies(timeout=0.2)) == []


def test_the_last_ones_are_listed_and_what_they_say_steers_no_terminal(pgqueue: Command, conn: Conn) -> None:
    assert pgqueue("events").out == "No attempt has ended.\n"
    claim = factories.claim_one(conn, queue="mail")
    factories.fail(conn, claim, None)
    conn.execute("update pgqueue.attempts set error = %s", ["no \x1b[2Jroute"])
    factories.make(conn, JobState.SUCCEEDED)
    listed = pgqueue("events", "queue:mail")
    assert "no \\x1b[2Jroute" in listed.out
    assert "succeeded" not in listed.out
    lines = [json.loads(line) for line in pgqueue("events", "--json").out.splitlines()]
    assert [(row["outcome"], row["state"]) for row in lines] == [("failed", "dead"), ("succeeded", "succeeded")]
    assert len(pgqueue("events", "--json", "-n", "1").out.splitlines()) == 1
