"""An operator does all that people do to jobs, queues, workers and workflows, and neither enqueues nor sets rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.job import JobState
from tests import factories
from tests.roles.conftest import Command, Staffed, typed

Conn = psycopg.Connection[Any]


@pytest.fixture
def run(staffed: Staffed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command as an operator types it."""
    return typed(staffed, "operator", monkeypatch, capsys)


def ready(conn: Conn) -> UUID:
    return factories.enqueue(conn, [1], queue="q", delay=3600)


def running(conn: Conn) -> UUID:
    return factories.claim_one(conn, queue="r").id


def dead(conn: Conn) -> UUID:
    return factories.make(conn, JobState.DEAD)


def manual(conn: Conn) -> UUID:
    return factories.make(conn, JobState.MANUAL)


def worker(conn: Conn) -> int:
    return factories.enlist(conn)


def workflow(conn: Conn) -> UUID:
    nodes = json.dumps([{"name": "a", "target": "shop:pay", "delay": 3600}])
    (made,) = conn.execute("select pgqueue.enqueue_workflow('w', %s)", [nodes]).fetchone() or (None,)
    assert isinstance(made, UUID)
    return made


def failed(conn: Conn) -> UUID:
    """A workflow whose only job is dead."""
    nodes = json.dumps([{"name": "a", "target": "shop:pay", "queue": "failing"}])
    (made,) = conn.execute("select pgqueue.enqueue_workflow('w', %s)", [nodes]).fetchone() or (None,)
    (claim,) = factories.claim(conn, factories.enlist(conn), 1, "failing")
    factories.fail(conn, claim, None)
    assert isinstance(made, UUID)
    return made


def schedule(conn: Conn) -> str:
    conn.execute("select pgqueue.schedule('nightly', 'shop:pay', cron => '0 3 * * *')")
    return "nightly"


def cause(conn: Conn) -> str:
    conn.execute("insert into pgqueue.causes (cause, target) values ('0123456789ab', 'a:b') on conflict do nothing")
    return "0123456789ab"


def nothing(conn: Conn) -> str:
    return ""


ACTS: list[tuple[Callable[[Conn], object], str]] = [
    (ready, "jobs cancel {}"),
    (running, "jobs cancel {}"),
    (dead, "jobs retry {}"),
    (ready, "jobs bury {} --reason odd"),
    (ready, "jobs priority {} 9"),
    (ready, "jobs due-now {}"),
    (ready, "jobs snooze {} --for 1h"),
    (dead, "jobs purge {} --yes"),
    (ready, "jobs cancel queue:q --yes"),
    (dead, "jobs retry state:dead --yes"),
    (dead, "dead retry {}"),
    (dead, "dead purge --older-than 0s --yes"),
    (nothing, "queues pause q"),
    (nothing, "queues pause q --for 1h"),
    (nothing, "queues resume q"),
    (worker, "workers quiet {}"),
    (worker, "workers resume {}"),
    (worker, "workers stop {}"),
    (schedule, "schedules pause {}"),
    (schedule, "schedules resume {}"),
    (schedule, "schedules run {}"),
    (workflow, "workflows cancel {}"),
    (failed, "workflows retry {}"),
    (manual, "manual done {} --reason fine"),
    (manual, "manual fail {}"),
    (cause, "causes mute {} --for 1h"),
    (cause, "causes resolve {}"),
    (cause, "causes describe {} --note seen"),
]


@pytest.mark.parametrize(("of", "words"), ACTS, ids=lambda each: each if isinstance(each, str) else "")
def test_each_act_may_be_done_and_is_written_down(
    staffed: Staffed, run: Command, of: Callable[[Conn], object], words: str
) -> None:
    before = staffed.conn.execute("select count(*) from pgqueue.audit").fetchone()
    made = of(staffed.conn)
    code, out, err = run(*words.format(made).split())
    assert (code, "permission denied" in err) == (0, False), err or out
    assert staffed.conn.execute("select count(*) from pgqueue.audit").fetchone() > before  # type: ignore[operator]


@pytest.mark.parametrize(
    "question",
    [
        "select pgqueue.enqueue('shop:pay')",
        "select pgqueue.edit_args(pgqueue.uuid7_floor(now()), '[]', 'me')",
        "select pgqueue.claim_job(1, pgqueue.uuid7_floor(now()))",
        "select pgqueue.complete(1, pgqueue.uuid7_floor(now()), 1, null)",
        "select pgqueue.set_limit('queue', 'q', 1)",
        "select pgqueue.set_queue('q', max_attempts => 1)",
        "select pgqueue.schedule('s', 'shop:pay', cron => '* * * * *')",
        "select pgqueue.unschedule('nightly')",
        "insert into pgqueue.jobs (id, target) values (pgqueue.uuid7_floor(now()), 'shop:pay')",
        "update pgqueue.jobs set args = '[]'",
        "update pgqueue.dead_jobs set args = '[]'",
        "delete from pgqueue.jobs",
        "delete from pgqueue.attempts",
        "update pgqueue.audit set who = 'somebody else'",
        "delete from pgqueue.audit",
        "truncate pgqueue.audit",
        "delete from pgqueue.operations",
        "select settings from pgqueue.alert_channels",
        "update pgqueue.queues set paused = true",
    ],
)
def test_rules_code_and_what_was_done_are_not_for_operators(staffed: Staffed, question: str) -> None:
    with staffed.connect("operator") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(question)


def test_what_is_not_for_operators_is_refused_in_words(staffed: Staffed, run: Command) -> None:
    job = ready(staffed.conn)
    for words in (
        ["jobs", "run-again", job],
        ["limits", "set", "k", "--concurrency", 1],
        ["schedules", "remove", schedule(staffed.conn)],
        ["enqueue", "shop:pay"],
    ):
        code, _, err = run(*words)
        assert code != 0, words
        assert "permission denied" in err, (words, err)
        assert "Traceback" not in err
