"""How far a job is, as people read it: on the page of the job, in lists, and while it goes on."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from pgqueue.cli.job_progress import facts_of, number, pace_of
from pgqueue.job import Claim
from pgqueue.job_progress import Progress
from pgqueue.record import JobProgress
from pgqueue.store import execute, jobs, progress, workers
from tests import factories
from tests.cli.conftest import Command
from tests.conftest import Connect

Conn = psycopg.Connection[object]


def say(conn: Conn, claim: Claim, done: float, total: float | None, note: str | None = None, ago: float = 0) -> None:
    said = Progress(done, total, note, time.monotonic() - ago)
    assert execute(conn, progress.note(claim.worker, [(claim.id, claim.claim, said)])) == 1


@pytest.fixture
def claim(conn: Conn) -> Claim:
    """A job that runs, and is 40 % through after 20 seconds."""
    conn.autocommit = True
    claim = factories.claim_one(conn)
    say(conn, claim, 0, 1000, ago=20)
    say(conn, claim, 400, 1000, "chapter \x1b[31mfour")
    return claim


def test_show_draws_a_bar_with_rate_and_rest(pgqueue: Command, claim: Claim, conn: Conn) -> None:
    shown = pgqueue("jobs", "show", claim.id).out
    assert "[########------------] 40 %, 400 of 1,000, 20/s, about 30 s left" in shown
    assert r": chapter \x1b[31mfour" in shown
    told = pgqueue("jobs", "show", claim.id, "--json").json["progress"]
    assert (told["done"], told["total"], told["share"], told["attempt"]) == (400, 1000, 0.4, 1)
    factories.fail(conn, claim)
    factories.claim(conn, claim.worker)
    assert "in attempt 1" in pgqueue("jobs", "show", claim.id).out


def test_show_says_nothing_of_a_job_that_says_nothing(pgqueue: Command, conn: Conn) -> None:
    conn.autocommit = True
    other = factories.claim_one(conn)
    assert "progress" not in pgqueue("jobs", "show", other.id).out
    assert pgqueue("jobs", "show", other.id, "--json").json["progress"] is None


def test_lists_have_a_column_where_a_running_job_says_how_far_it_is(pgqueue: Command, claim: Claim, conn: Conn) -> None:
    shown = pgqueue("jobs", "list").out.splitlines()
    assert "PROGRESS" in shown[0]
    assert "40 %" in shown[1]
    assert "progress" not in pgqueue("jobs", "list", "--json").out
    report = {"running": [[str(claim.id), claim.claim, 3.0]]}
    execute(conn, workers.heartbeat(claim.worker, timedelta(minutes=1), json.dumps(report)))
    assert "40 %" in pgqueue("workers", "show", claim.worker).out
    factories.settle(conn, claim)
    assert "PROGRESS" not in pgqueue("jobs", "list").out


def test_watch_prints_a_line_for_each_change_and_ends_with_the_job(
    pgqueue: Command, claim: Claim, conn: Conn, connect: Connect
) -> None:
    other = connect(autocommit=True)

    def go_on() -> None:
        time.sleep(0.5)
        say(other, claim, 1000, 1000)
        time.sleep(0.5)
        factories.settle(other, claim)

    thread = threading.Thread(target=go_on)
    thread.start()
    ran = pgqueue("jobs", "watch", claim.id, "--timeout", "20s")
    thread.join()
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].startswith("running, attempt 1, 40 %, 400 of 1,000, 20/s, about 30 s left, chapter")
    assert lines[-1] == "succeeded, attempt 1, 100 %, 1,000 of 1,000"


def test_watch_is_told_as_json_and_ends_in_time(pgqueue: Command, claim: Claim) -> None:
    ran = pgqueue("jobs", "watch", claim.id, "--timeout", "0.3s", "--json")
    assert ran.code == 1
    assert "it goes on" in ran.err
    assert json.loads(ran.out.splitlines()[0])["progress"]["share"] == 0.4


def test_watching_a_dead_job_is_exit_code_1(pgqueue: Command, claim: Claim, conn: Conn) -> None:
    execute(conn, jobs.fail(claim.worker, [factories.failure(claim, None)]))
    ran = pgqueue("jobs", "watch", claim.id)
    assert (ran.code, ran.out.splitlines()[0].partition(",")[0]) == (1, "dead")


@pytest.mark.parametrize(
    ("done", "total", "rate", "words"),
    [
        (7, None, None, "7"),
        (2.5, 10, 0.01, "[#####---------------] 25 %, 2.5 of 10, 36/h"),
        (12, 10, 5, "[####################] 100 %, 12 of 10"),
        (0, 0, None, "0"),
    ],
)
def test_words_for_odd_numbers(done: float, total: float | None, rate: float | None, words: str) -> None:
    share = min(1.0, done / total) if total else None
    said = JobProgress(UUID(int=1), 1, done, total, share, rate, None, None, datetime.now(UTC))
    assert next(facts_of(said, 1))[1] == words
    assert number(1_234_567.0) == "1,234,567"
    rest = JobProgress(UUID(int=1), 1, 1, 2, 0.5, 1.0, timedelta(hours=3), None, datetime.now(UTC))
    assert pace_of(rest) == ["1/s", "about 3 h left"]
