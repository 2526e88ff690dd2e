"""Causes: what belongs together is one, what came back says so, and the list is bounded."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pgqueue.cause import cause_of
from pgqueue.job import JobState
from pgqueue.judge import judge
from pgqueue.outcome import ErrorReport, Failed
from pgqueue.store import causes, execute, jobs, tallies
from pgqueue.store.causes import Cause
from pgqueue.store.listing import Asked, page
from tests.factories import TARGET, Conn, claim_one, enlist, expire, fail, make, reap

PLACE = 'Traceback (most recent call last):\n  File "/srv/shop/mail.py", line {line}, in send\n    raise OSError\n'
DAY = timedelta(days=1)


def die(conn: Conn, place: str | None, error: str = "no route", kind: str = "OSError", **options: Any) -> str:
    """A job that failed for good; answers its cause."""
    claim = claim_one(conn, **options)
    settlement = judge(claim, Failed(ErrorReport(kind, error, place), retryable=False))
    assert execute(conn, jobs.fail(claim.worker, [settlement])) == frozenset()
    assert settlement.cause is not None
    return settlement.cause


def listed(conn: Conn) -> dict[str, Cause]:
    return {found.cause: found for found in execute(conn, causes.listed())}


TEXTS = [
    (None, "order 17 of 'ann' at 10.0.0.1:5432 is gone"),
    (None, "job 0190a7c2-0000-7000-8000-000000000001: ann@example.com 0xdeadbeef, 12.5 % of /tmp/a7f"),
    (None, "it's \"quoted\" and 'not closed\n'second line' 3"),
    (None, "Ünïcode 日本 42 – x@y"),
    (None, "a" * 2_000),
    (None, ""),
    (PLACE.format(line=7), "no route"),
    (PLACE.format(line=7) + 'File "no frame"\n  File "/x/site-packages/y.py", line 3, in z\n', "x"),
    ('  |   File "C:\\\\shop\\\\a.py", line 1, in <module>\n', "1"),
    ('  File "<string>", line 1, in f\n', "message 5"),
]


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_sql_and_python_agree_on_causes(conn: Conn, number: int) -> None:
    traceback, error = TEXTS[number]
    found = conn.execute("select pgqueue.cause_of(%s, 'E', %s, %s)", [TARGET, error, traceback]).fetchone()
    assert found == (cause_of(TARGET, "E", error, traceback),)


def test_sql_and_python_agree_on_causes_of_any_message(conn: Conn) -> None:
    chance = random.Random(17)
    for _ in range(300):
        error = "".join(chance.choice("ab f09x'\"@.:-,/# \n0x12é") for _ in range(chance.randrange(40)))
        found = conn.execute("select pgqueue.cause_of(%s, null, %s, null)", [TARGET, error]).fetchone()
        assert found == (cause_of(TARGET, None, error, None),), error


def test_failures_of_one_kind_are_one_cause_and_others_are_not(db: Conn) -> None:
    same = {die(db, PLACE.format(line=n), f"no route {n}") for n in range(3)}
    assert len(same) == 1
    other = die(db, PLACE.format(line=1), kind="ValueError")
    assert {cause: found.dead for cause, found in listed(db).items()} == {same.pop(): 3, other: 1}


def test_a_failure_that_is_retried_has_its_cause_in_the_history(db: Conn) -> None:
    claim = claim_one(db)
    settlement = judge(claim, Failed(ErrorReport("OSError", "no route", None)))
    execute(db, jobs.fail(claim.worker, [settlement]))
    assert db.execute("select cause from pgqueue.attempts").fetchall() == [(settlement.cause,)]


def test_dead_jobs_without_a_cause_get_one(db: Conn) -> None:
    worker = enlist(db)
    claim_one(db, worker=worker, max_attempts=1)
    expire(db, worker)
    reap(db)
    fail(db, claim_one(db), delay=None)
    assert db.execute("select count(*) from pgqueue.dead_jobs where cause is null").fetchone() == (2,)
    assert execute(db, causes.find(1)) == 1
    assert execute(db, causes.find(10)) == 1
    assert execute(db, causes.find(10)) == 0
    found = listed(db)
    assert {each.error_type for each in found.values()} == {"pgqueue.WorkerLost", "builtins.OSError"}
    assert all(each.first_at is not None and each.dead == 1 for each in found.values())


def met(conn: Conn, cause: str, ago: timedelta = timedelta(0), n: int = 1) -> None:
    minute = datetime.now(UTC) - ago
    told = {"minute": minute.isoformat(), "queue": "q", "target": TARGET, "outcome": "failed", "n": n, "cause": cause}
    execute(conn, tallies.append(json.dumps([{**told, "error_type": "E", "error": "no"}])))
    conn.execute("update pgqueue.causes set first_at = least(first_at, %s) where cause = %s", [minute, cause])


def test_a_cause_is_seen_before_any_job_is_dead(conn: Conn) -> None:
    met(conn, "0123456789ab", n=31)
    (found,) = execute(conn, causes.new(timedelta(minutes=10), 3))
    assert (found.cause, found.state, found.failures, found.error_type) == ("0123456789ab", "new", 31, "E")
    assert (listed(conn)["0123456789ab"].state, listed(conn)["0123456789ab"].dead) == ("new", 0)


def test_a_resolved_cause_that_comes_back_is_a_regression(conn: Conn) -> None:
    met(conn, "0123456789ab", timedelta(days=3))
    met(conn, "0123456789ab", timedelta(hours=3))
    assert listed(conn)["0123456789ab"].state is None
    assert execute(conn, causes.resolve("0123456789ab", "4f1a"))
    assert listed(conn)["0123456789ab"].state == "resolved"
    assert execute(conn, causes.new(timedelta(minutes=10), 3)) == []
    conn.execute("update pgqueue.causes set resolved_at = now() - interval '2 minutes'")
    met(conn, "0123456789ab")
    assert listed(conn)["0123456789ab"].state == "regression"
    (back,) = execute(conn, causes.new(timedelta(minutes=10), 3))
    assert (back.cause, back.state) == ("0123456789ab", "regression")
    assert execute(conn, causes.reopen("0123456789ab"))
    assert listed(conn)["0123456789ab"].state is None


def test_a_muted_cause_is_not_told(conn: Conn) -> None:
    met(conn, "0123456789ab")
    assert execute(conn, causes.mute("0123456789ab", DAY))
    assert execute(conn, causes.new(DAY, 3)) == []
    assert listed(conn)["0123456789ab"].state == "muted"
    execute(conn, causes.mute("0123456789ab", None))
    assert len(execute(conn, causes.new(DAY, 3))) == 1
    assert not execute(conn, causes.mute("ffffffffffff", DAY))


def test_dead_jobs_are_found_by_their_cause_page_by_page(db: Conn) -> None:
    for n in range(5):
        cause = die(db, PLACE.format(line=n))
    die(db, None, "another")
    seen = []
    before = None
    for _ in range(3):
        found = page(db, Asked(states=frozenset({JobState.DEAD}), cause=cause, limit=2, before=before))
        assert found is not None
        seen += [job.id for job in found.jobs]
        before = seen[-1]
    assert len(set(seen)) == 5


def test_causes_that_nobody_met_for_long_are_forgotten_but_for_what_people_said(conn: Conn) -> None:
    for cause, age in (("a" * 12, 300), ("b" * 12, 300), ("c" * 12, 10)):
        met(conn, cause, timedelta(days=age))
    execute(conn, causes.describe("b" * 12, title="the old one"))
    conn.execute("delete from pgqueue.tallies")
    for _ in range(200):
        conn.execute("select pgqueue.forget_causes(100)")
    kept = conn.execute("select cause from pgqueue.causes order by 1").fetchall()
    assert kept == [("b" * 12,), ("c" * 12,)]


def test_only_jobs_that_die_are_made_dead(db: Conn) -> None:
    make(db, JobState.SUCCEEDED)
    assert listed(db) == {}
