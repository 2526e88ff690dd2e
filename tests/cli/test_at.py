"""`pgqueue at`, and the page of it: how it was at a moment, beside a week before and now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.store import execute, moments, tallies
from pgqueue.worker.upkeep.releases import note_release
from tests import factories
from tests.cli.conftest import Command
from tests.conftest import Connect

Conn = psycopg.Connection[Any]
WEEK = timedelta(days=7)


@pytest.fixture
def conn(connect: Connect) -> Conn:
    """As a person has it: what is done is there for all."""
    return connect(autocommit=True)


def noted(conn: Conn, at: datetime, ready: int, *, span: int = 60, out: int = 0) -> None:
    """So many jobs waited in mail then, and so many ended in each minute about it."""
    conn.execute(
        "insert into pgqueue.depths (minute, span, queue, ready, later, running, dead, oldest, entered, exact)"
        " values (%s, %s, 'mail', %s, 1, 2, 3, 90, %s, true)",
        [at, span, ready, 6 * span / 60],
    )
    if out:
        for minute in range(-6, 6):
            row = {"minute": (at + timedelta(minutes=minute)).isoformat(), "queue": "mail", "target": "a:b"}
            execute(conn, tallies.append(json.dumps([{**row, "outcome": "succeeded", "n": out, "ended": out}])))


def ran(conn: Conn, job: str, since: datetime, until: datetime) -> None:
    """An attempt of a job that was enqueued a minute before it began."""
    conn.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, started_at, finished_at)"
        " values (overlay(pgqueue.uuid7_floor(%s)::text placing %s from 25)::uuid, 1, 1, 'failed', 'mail', %s, %s, %s)",
        [since - timedelta(minutes=1), job, f"shop.mail:{job}", since, until],
    )


@pytest.fixture
def then(conn: Conn) -> datetime:
    """Three hours ago: 40 jobs waited, a week before 7; two attempts ran."""
    at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=3)
    noted(conn, at, 40, out=12)
    hour = (at - WEEK).replace(minute=0)
    noted(conn, hour, 7, span=3600)
    minute = timedelta(minutes=1)
    ran(conn, "aaaaaaaaaaaa", at - 50 * minute, at + minute)
    ran(conn, "bbbbbbbbbbbb", at - minute, at + minute)
    ran(conn, "cccccccccccc", at - 5 * minute, at - minute)
    ran(conn, "dddddddddddd", at + minute, at + 2 * minute)
    ran(conn, "eeeeeeeeeeee", at - 300 * minute, at + minute)
    return at


def test_a_moment_is_shown_beside_a_week_before_and_now(pgqueue: Command, conn: Conn, then: datetime) -> None:
    conn.execute(
        "insert into pgqueue.audit (at, who, via, action, filter) values"
        " (%(at)s, 'ann', 'cli', 'queues pause', 'mail'), (%(at)s, 'web-3', 'worker', 'release', '4f1a'),"
        " (%(at)s - interval '2 hours', 'bob', 'cli', 'queues pause', 'web')",
        {"at": then},
    )
    factories.claim_one(conn, queue="mail")
    conn.execute("update pgqueue.jobs set started_at = %s", [then - timedelta(minutes=9)])
    found = pgqueue("at", then.isoformat(), "--json").json
    assert (found["then"]["ready"], found["week_before"]["ready"], found["week_before"]["span"]) == (40, 7, 3600)
    assert found["now"]["ready"] is None
    assert (found["then"]["in_per_min"], found["then"]["out_per_min"]) == (pytest.approx(6), pytest.approx(12))
    assert found["then"]["queues"][0]["queue"] == "mail"
    # Longest first; the fifth was enqueued too long before, and that is told.
    assert [row["target"] for row in found["ran"]["attempts"]] == ["shop.mail:aaaaaaaaaaaa", "shop.mail:bbbbbbbbbbbb"]
    assert datetime.fromisoformat(found["ran"]["back_to"]) == then - moments.BEFORE
    assert [job["queue"] for job in found["still"]] == ["mail"]
    assert [(act["who"], act["filter"]) for act in found["acts"]] == [("ann", "mail"), ("web-3", "4f1a")]
    shown = pgqueue("at", then.isoformat())
    for words in (
        "THEN",
        "A WEEK BEFORE",
        "runs still",
        "Releases about then",
        "4f1a",
        "ann",
        "shop.mail:aaaaaaaaaaaa",
    ):
        assert words in shown.out, words
    assert "bob" not in shown.out
    assert "of older jobs no attempt was looked at" in shown.err


def test_what_nobody_noted_is_said_to_be_unknown(pgqueue: Command) -> None:
    ran = pgqueue("at", "2h", "ago")
    assert ran.code == 0, ran.err
    assert "nobody noted then how full queues were" in ran.err
    assert "Nothing that was found." in ran.out
    assert pgqueue("at", "tomorrow").code == 2


def test_the_look_for_what_ran_stops_at_its_budget_and_says_where(conn: Conn, then: datetime) -> None:
    found = moments.ran_at(conn, then, budget=2)
    assert found.looked == 2
    assert found.back_to > then - moments.BEFORE
    assert [each.target for each in found.attempts] == ["shop.mail:bbbbbbbbbbbb"]


def test_a_release_is_noted_when_it_comes_and_not_again(conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in ("one", "one", "two", "", "two", "one"):
        monkeypatch.setenv("PGQUEUE_RELEASE", release)
        note_release(conn)
    acts = execute(conn, moments.acts_about(datetime.now(UTC)))
    assert [(act.action, act.filter, act.via) for act in acts] == [
        ("release", name, "worker") for name in ("one", "two", "one")
    ]


def test_a_role_that_may_not_write_the_audit_goes_without(conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_RELEASE", "one")
    conn.execute("create role no_auditor")
    try:
        conn.execute("grant usage on schema pgqueue to no_auditor")
        conn.execute("set role no_auditor")
        note_release(conn)
        conn.execute("reset role")
        assert execute(conn, moments.acts_about(datetime.now(UTC))) == []
    finally:
        conn.execute("reset role")
        conn.execute("drop owned by no_auditor")
        conn.execute("drop role no_auditor")
