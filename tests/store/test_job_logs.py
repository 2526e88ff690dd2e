"""Lines that jobs said: written without a look at jobs, in any order and twice, and pruned with their attempts."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.job import JobState
from pgqueue.job_log import Said
from pgqueue.store import execute, job_logs, workers
from tests import factories
from tests.conftest import Connect
from tests.factories import Conn, claim_one, count
from tests.store.test_prune import DEAD, HISTORY, age, id_of


def lines(job: UUID, claim: int, attempt: int, *words: str) -> list[Said]:
    return [Said(job, claim, attempt, seq, time.time(), "info", word) for seq, word in enumerate(words, 1)]


def said(conn: Conn, job: UUID) -> list[tuple[int, str]]:
    return [(line.claim, line.line) for line in pgqueue.job_logs(conn, job)]


def test_lines_are_written_while_jobs_are_locked(db: Conn, connect: Connect) -> None:
    job = factories.enqueue(db)
    with connect() as other:
        other.execute("lock table pgqueue.jobs, pgqueue.attempts in access exclusive mode")
        db.execute("set lock_timeout = 1000")
        assert execute(db, job_logs.keep(lines(job, 1, 1, "a", "b"))) == 2
        other.rollback()
    assert said(db, job) == [(1, "a"), (1, "b")]


def test_p5_a_late_attempt_says_under_its_own_claim_and_changes_nothing(db: Conn) -> None:
    worker = factories.enlist(db)
    late = claim_one(db, worker=worker)
    factories.fail(db, late, delay=0.0)
    (now,) = factories.step(db, worker, [], 1).claims
    execute(db, job_logs.keep(lines(now.id, now.claim, now.attempt, "mine")))
    before = db.execute("select xmin, ctid, claim, worker from pgqueue.jobs").fetchall()
    execute(db, job_logs.keep(lines(late.id, late.claim, 1, "late")))
    assert said(db, late.id) == [(late.claim, "late"), (now.claim, "mine")]
    assert db.execute("select xmin, ctid, claim, worker from pgqueue.jobs").fetchall() == before


def test_a_line_that_comes_twice_is_written_once(db: Conn) -> None:
    job = factories.enqueue(db)
    assert [execute(db, job_logs.keep(lines(job, 1, 1, "a", "b"))) for _ in range(2)] == [2, 0]


def keep(conn: Conn, *rows: dict[str, Any]) -> int:
    found = conn.execute("select pgqueue.keep_lines(%s::json)", [json.dumps(rows)]).fetchone()
    assert found is not None
    return int(found[0])


def test_any_language_may_write_lines_and_what_makes_no_sense_hurts_no_other(db: Conn) -> None:
    job = str(factories.enqueue(db))
    whole: dict[str, Any] = {
        "job": job,
        "claim": 1,
        "attempt": 1,
        "seq": 1,
        "line": "x" * 9_000,
        "level": "loud",
        "at": "infinity",
    }
    rows = [whole, {**whole, "seq": 1_002}, {**whole, "seq": 0}, {**whole, "line": None}, {"job": job}]
    assert keep(db, *rows) == 1
    (line,) = pgqueue.job_logs(db, UUID(job))
    assert (line.level, len(line.line), line.at.year < 3000) == ("info", 2_000, True)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="at most 5,000"):
        keep(db, *({},) * 5_001)


def test_a_page_goes_on_where_the_last_one_ended(db: Conn) -> None:
    job = factories.enqueue(db)
    execute(db, job_logs.keep([*lines(job, 1, 1, *"abc"), *lines(job, 4, 2, *"def")]))
    assert "".join(line.line for line in execute(db, job_logs.tail(job, 4))) == "cdef"
    assert "".join(line.line for line in execute(db, job_logs.tail(job, 4, (1, 3)))) == "ab"
    first = pgqueue.job_logs(db, job, limit=4)
    assert "".join(line.line for line in [*first, *pgqueue.job_logs(db, job, after=first[-1])]) == "abcdef"


def prune(conn: Conn, calls: int = 1) -> int:
    return sum(execute(conn, workers.prune(HISTORY, DEAD)) for _ in range(calls))


def grow_old(conn: Conn, days: float) -> None:
    age(conn, days)
    conn.execute("update pgqueue.job_logs set at = at - %s", [timedelta(days=days)])


def test_lines_go_with_the_history_of_their_job(db: Conn) -> None:
    taken = claim_one(db, job_id=id_of(8))
    execute(db, job_logs.keep(lines(taken.id, taken.claim, 1, "a", "b")))
    factories.settle(db, taken)
    assert prune(db, 3) == 0
    grow_old(db, 7.5)
    assert prune(db) == 3
    assert count(db, "job_logs") == 0


@pytest.mark.parametrize("state", [JobState.RETRYING, JobState.RUNNING, JobState.DEAD])
def test_what_a_job_said_stays_as_long_as_its_attempts(db: Conn, state: JobState) -> None:
    job = factories.make(db, state, job_id=id_of(100))
    execute(db, job_logs.keep(lines(job, 1, 1, "a")))
    grow_old(db, 99)
    assert prune(db, 20) == 0
    assert count(db, "job_logs") == 1


def test_what_a_dead_job_said_goes_with_it(db: Conn) -> None:
    job = factories.make(db, JobState.DEAD, job_id=id_of(181))
    execute(db, job_logs.keep(lines(job, 1, 1, "a")))
    grow_old(db, 180.5)
    prune(db, 2)
    assert (count(db, "dead_jobs"), count(db, "job_logs")) == (0, 0)
