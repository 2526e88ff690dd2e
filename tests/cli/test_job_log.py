"""`pgqueue jobs logs`: what a job said, in order, and until it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from pgqueue.job_log import Said
from pgqueue.store import execute, job_logs
from tests import factories
from tests.cli.conftest import Command, Start

Enqueue = Callable[..., str]
Conn = psycopg.Connection[object]


def keep(conn: Conn, job: str, claim: int, attempt: int, *words: str, level: str = "info") -> None:
    at = time.time()
    said = [Said(UUID(job), claim, attempt, seq, at, level, word) for seq, word in enumerate(words, 1)]
    execute(conn, job_logs.keep(said))


@pytest.fixture
def job(conn: Conn, enqueue: Enqueue) -> str:
    """A job that said something in two attempts."""
    conn.autocommit = True
    job = enqueue("send_receipt")
    keep(conn, job, 1, 1, "first", "second\n2026-11-29 12:00:00.000 ERROR a lie")
    keep(conn, job, 2, 2, "\x1b[31mthird", level="warning")
    return job


def test_lines_are_shown_by_attempt_and_none_pretends_to_be_another(pgqueue: Command, job: str) -> None:
    shown = pgqueue("jobs", "logs", job[:13]).out.splitlines()
    assert [line for line in shown if not line[:4].isdigit()] == [
        "attempt 1",
        "    2026-11-29 12:00:00.000 ERROR a lie",
        "attempt 2",
    ]
    assert [line[24:] for line in shown if line[:4].isdigit()] == [
        "INFO    first",
        "INFO    second",
        "WARNING \\x1b[31mthird",
    ]


def test_lines_are_narrowed_and_told_as_json(pgqueue: Command, job: str) -> None:
    def lines(*words: object) -> list[str]:
        return [line["line"].split("\n")[0] for line in pgqueue("jobs", "logs", job, "--json", *words).json]

    assert lines() == ["first", "second", "\x1b[31mthird"]
    assert lines("--attempt", 1) == ["first", "second"]
    assert lines("--level", "warning") == ["\x1b[31mthird"]
    assert lines("--limit", 1) == ["\x1b[31mthird"]
    assert "the last 1 lines" in pgqueue("jobs", "logs", job, "--limit", 1).err


def test_a_job_that_said_nothing_says_so(pgqueue: Command, enqueue: Enqueue) -> None:
    assert pgqueue("jobs", "logs", enqueue("count")).out == "It said nothing that is kept.\n"
    assert pgqueue("jobs", "logs", UUID(int=1)).code == 4


def test_a_job_is_followed_over_its_attempts_until_it_ends(conn: Conn, enqueue: Enqueue, start: Start) -> None:
    conn.autocommit = True
    job = enqueue("send_receipt")
    worker = factories.enlist(conn)
    (claim,) = factories.claim(conn, worker)
    keep(conn, job, claim.claim, 1, "one")
    reader = start("jobs", "logs", job, "-f", "--json")
    assert reader.stdout is not None
    assert json.loads(reader.stdout.readline())["line"] == "one"
    factories.fail(conn, claim, delay=0.0)
    (claim,) = factories.claim(conn, worker)
    keep(conn, job, claim.claim, 2, "two")
    found = json.loads(reader.stdout.readline())
    assert (found["line"], found["attempt"]) == ("two", 2)
    factories.settle(conn, claim)
    # The last words come a moment after the end.
    execute(conn, job_logs.keep([Said(claim.id, claim.claim, 2, 2, time.time(), "info", "three")]))
    assert json.loads(reader.stdout.readline())["line"] == "three"
    assert (reader.wait(20), reader.stdout.read()) == (0, "")


def test_who_follows_a_job_that_ended_long_ago_does_not_wait(pgqueue: Command, job: str, conn: Conn) -> None:
    worker = factories.enlist(conn)
    (claim,) = factories.claim(conn, worker)
    factories.settle(conn, claim)
    conn.execute("update pgqueue.attempts set finished_at = finished_at - interval '1 minute'")
    assert "third" in pgqueue("jobs", "logs", job, "-f").out
