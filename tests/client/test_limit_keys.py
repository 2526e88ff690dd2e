"""Limit keys that are made from arguments, and the limits that tasks declare."""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

import pytest

import pgqueue
from pgqueue.tasks import Task, declared_rules
from tests.client.limited_tasks import book, charge, count, loose, report, send, ship
from tests.factories import Conn

TASKS: list[Task[..., Any]] = [book, charge, count, report, send, ship]
REGISTRY = sys.modules[Task.__module__].known
# A worker that another test starts in this process would declare what they say, too.
for each in TASKS:
    del REGISTRY[each.target]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in TASKS:
        monkeypatch.setitem(REGISTRY, each.target, each)


def key_of(conn: Conn, job: Any) -> str | None:
    return pgqueue.get_job(conn, job).limit_key


def test_the_key_is_made_from_the_arguments_whichever_way_the_job_is_enqueued(conn: Conn) -> None:
    jobs = [
        send.enqueue(conn, 7),
        send.enqueue(conn, tenant_id=7, to="ada"),
        send.enqueue(conn, 7, to="ada"),
        send.using(priority=9).enqueue(conn, 7),
        pgqueue.enqueue(conn, send, [7]),
        pgqueue.enqueue(conn, send, {"tenant_id": 7}),
        pgqueue.enqueue(conn, send.target, {"to": "ada", "tenant_id": 7}),
        pgqueue.enqueue(conn, send, [7], unique_key="k"),
        *pgqueue.enqueue_many(conn, [send.job(7), pgqueue.NewJob(send.target, [7]), pgqueue.NewJob(send, [7, "ada"])]),
        *pgqueue.enqueue_many(conn, [pgqueue.NewJob(send.target, [7])] * 200)[:1],
    ]
    with pgqueue.bound(conn):
        jobs.append(send.delay(7))
    assert {key_of(conn, job) for job in jobs} == {"tenant:7"}


def test_arguments_of_every_kind_make_a_key(conn: Conn) -> None:
    assert key_of(conn, ship.enqueue(conn, 5)) == "order:eu/5"
    assert key_of(conn, ship.enqueue(conn, 5, "us", 1, 2)) == "order:us/5"
    assert key_of(conn, ship.enqueue(conn, number=5, region="us", fast=True, other=1)) == "order:us/5"
    assert key_of(conn, book.enqueue(conn, "ada")) == "account:ada"
    assert key_of(conn, pgqueue.enqueue(conn, book, ["ada"])) == "account:ada"
    assert key_of(conn, charge.enqueue(conn, 1)) == "stripe"
    assert key_of(conn, report.enqueue(conn)) is None


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("{x}", "tenant:{x}"),
        (True, "tenant:true"),
        (1.5, "tenant:1.5"),
        (10**30, f"tenant:{10**30}"),
        (pgqueue.JobState.READY, "tenant:ready"),
        ("", "tenant:"),
    ],
)
def test_a_key_is_made_of_what_the_argument_is_in_json(conn: Conn, value: Any, key: str) -> None:
    assert key_of(conn, send.enqueue(conn, value)) == key


@pytest.mark.parametrize("value", [None, [1], {"id": 1}])
def test_what_makes_no_key_is_refused_before_anything_is_sent(conn: Conn, value: Any) -> None:
    with pytest.raises(pgqueue.ArgumentError, match="made of tenant_id, which must be a text or a number, got"):
        send.enqueue(conn, value)
    assert key_of(conn, send.using(limit_key="none").enqueue(conn, value)) == "none"


def test_an_argument_that_the_key_needs_must_be_given(conn: Conn) -> None:
    with pytest.raises(pgqueue.ArgumentError, match="missing a required argument: 'tenant_id'"):
        pgqueue.enqueue(conn, send.target, {"to": "ada"})
    with pytest.raises(pgqueue.ArgumentError, match="missing a required argument: 'tenant_id'"):
        pgqueue.enqueue_many(conn, [pgqueue.NewJob(send)])
    with pytest.raises(pgqueue.ArgumentError, match="needs tenant_id, which the call does not give"):
        send.limit_key_of({"to": "ada"})
    with pytest.raises(pgqueue.OptionError, match="limit_key must be a text of 1 to 500"):
        send.enqueue(conn, "x" * 500)
    # It stands between the parts of a lane.
    with pytest.raises(pgqueue.OptionError, match="limit_key must not contain the character 1"):
        send.enqueue(conn, "a\x01b")


def test_a_key_that_a_call_says_itself_wins_and_is_taken_as_it_stands(conn: Conn) -> None:
    assert key_of(conn, send.using(limit_key="own").enqueue(conn, 7)) == "own"
    assert key_of(conn, pgqueue.enqueue(conn, send, [7], limit_key="k:{tenant_id}")) == "k:{tenant_id}"
    assert key_of(conn, pgqueue.enqueue(conn, "a:b", [7], limit_key="k:{tenant_id}")) == "k:{tenant_id}"
    assert key_of(conn, pgqueue.enqueue_many(conn, [pgqueue.NewJob(send, [7], limit_key="own")])[0]) == "own"


def test_a_schedule_of_the_task_has_the_key_of_its_arguments(conn: Conn) -> None:
    said = declared_rules(count)
    assert said is not None
    assert json.loads(said)["schedule"]["limit_key"] == "shop:7"
    pgqueue.schedule(conn, "of one", send, [uuid.UUID(int=5).hex], every=60)
    row = conn.execute("select limit_key from pgqueue.schedules").fetchone()
    assert row == (f"tenant:{uuid.UUID(int=5).hex}",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"limit_key": "tenant:{tenant}"}, "names 'tenant', which .* does not take; its arguments are tenant_id, to"),
        ({"limit_key": "x:{more}"}, "names 'more'"),
        ({"limit_key": "{tenant_id}"}, "must begin with a text of its own, .* write 'tenant:{tenant_id}'"),
        ({"limit_key": "a*:{to}"}, r"no \* before its arguments"),
        ({"limit_key": "t:{tenant_id.x}"}, "by name alone"),
        ({"limit_key": "t:{tenant_id:>9}"}, "by name alone"),
        ({"limit_key": "t:{0}"}, "by name alone"),
        ({"limit_key": "t:{tenant_id"}, "cannot be read"),
        ({"limit_key": 7}, "limit_key must be a text"),
        ({"concurrency": 0}, "concurrency must be a whole number from 1"),
        ({"rate": "100/min"}, "did you mean '100/m'"),
        ({"burst": 5}, "burst 5 has no rate"),
        ({"rate": "5/s", "burst": 6}, "burst must be a whole number from 1 to 5"),
        ({"ordered": True}, "ordered is of keys; give a limit_key"),
        ({"weight": 2, "concurrency": 1}, "weight is of keys"),
        ({"limit_key": "k", "ordered": True, "concurrency": 2}, "ordered needs concurrency 1, got 2"),
        ({"limit_key": "k", "on_dead": "stop"}, "say ordered=True"),
        ({"limit_key": "k", "on_dead": "halt"}, "on_dead must be one of go on, stop"),
        ({"limit_key": "tenant:{tenant_id}", "concurrency": 9}, "declare different limits of the keys 'tenant:.'"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_where_it_is_declared(options: Any, said: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=said):
        pgqueue.task(**options)(loose)


def declared(task: Task[..., Any]) -> Any:
    said = declared_rules(task)
    return said and json.loads(said)["limit"]


def test_a_task_declares_its_own_limit_or_that_of_its_keys() -> None:
    key = {"scope": "key", "name": "tenant:*", "concurrency": 2, "starts": 100, "period": 60, "burst": 20, "weight": 3}
    assert declared(send) == key
    assert declared(report) == {"scope": "task", "name": report.target, "concurrency": 5}
    assert declared(charge) == {"scope": "key", "name": "stripe", "starts": 5, "period": 1}
    assert declared(book) == {"scope": "key", "name": "account:*", "concurrency": 1, "ordered": True}
    assert declared(ship) is None


def test_what_a_call_cannot_say_of_limits_is_told_where_it_belongs(conn: Conn) -> None:
    with pytest.raises(pgqueue.OptionError, match=r"say it in @task"):
        pgqueue.enqueue(conn, "a:b", concurrency=2)  # type: ignore[call-overload]  # that is the point
    with pytest.raises(pgqueue.OptionError, match=r"pgqueue\.set_limit"):
        pgqueue.enqueue(conn, "a:b", rate_limit="2/s")  # type: ignore[call-overload]  # as above
