"""`pgqueue causes`, `dead list --cause`, `tasks timings`, `workers show`: why jobs fail, and how all gets on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.store import execute, tallies, workers
from tests.cli.conftest import Command
from tests.cli.moves import WORKER, buried, claimed

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]
FIRST, SECOND = "9f2c00000001", "9f2d00000002"
STEER = "\x1b[2J\u202e"


def tally(conn: Conn, **said: Any) -> None:
    given = {"queue": "mail", "target": "shop.mail:send", "outcome": "failed", "n": 1, "ended": 0}
    execute(conn, tallies.append(json.dumps([{**given, **said}])))
    conn.commit()


@pytest.fixture
def failing(conn: Conn) -> None:
    tally(conn, cause=FIRST, n=31, error_type="ConnectionError", error=f"no {STEER}route")
    tally(conn, cause=SECOND, n=2, error_type="KeyError", error="'a'", target="shop.web:get")


@pytest.mark.usefixtures("failing")
def test_causes_are_listed_shown_muted_and_resolved(pgqueue: Command) -> None:
    shown = pgqueue("causes", "list").out
    assert "ConnectionError: no \\x1b[2J\\u202eroute" in shown
    found = {row["cause"]: row for row in pgqueue("causes", "list", "--json").json}
    assert (found[FIRST]["state"], found[FIRST]["failures"], found[FIRST]["dead"]) == ("new", 31, 0)
    assert [row["cause"] for row in pgqueue("causes", "list", "-t", "shop.web:get", "--json").json] == [SECOND]
    assert pgqueue("causes", "mute", "9f2c", "--for", "1h").out == f"{FIRST} is muted for 1:00:00\n"
    assert pgqueue("causes", "show", FIRST, "--json").json["state"] == "muted"
    assert pgqueue("causes", "mute", "9f2c", "--for", "0").out == f"{FIRST} is muted no more\n"
    assert pgqueue("causes", "resolve", "9f2c", "--release", "4f1a").out == f"{FIRST} is resolved\n"
    assert pgqueue("causes", "resolve", "9f2c", "--reopen").code == 0
    assert pgqueue("causes", "describe", "9f2c", "--title", "the relay is down").code == 0
    assert "the relay is down" in pgqueue("causes", "show", "9f2c").out


@pytest.mark.usefixtures("failing")
def test_a_cause_is_named_by_its_first_digits(pgqueue: Command) -> None:
    assert pgqueue("causes", "show", "9f2").code == 2
    assert pgqueue("causes", "show", "aaaa").code == 4
    assert pgqueue("causes", "show", "shop").code == 2


def test_dead_jobs_are_listed_by_cause(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    first, second = enqueue("break_down"), enqueue("break_down")
    for job_id in (first, second):
        buried(conn, job_id)
    conn.execute("update pgqueue.dead_jobs set cause = %s where id = %s", [FIRST, first])
    conn.execute("update pgqueue.dead_jobs set cause = %s where id = %s", [SECOND, second])
    conn.commit()
    assert [row["id"] for row in pgqueue("dead", "list", "--cause", "9f2c", "--json").json] == [first]
    assert pgqueue("causes", "show", "9f2d", "--json").json["newest_dead"] == [second]
    assert pgqueue("dead", "list", "--cause", "abc").code == 4


def test_timings_of_tasks_show_the_slowest_first(pgqueue: Command, conn: Conn) -> None:
    assert "No attempt has ended" in pgqueue("tasks", "timings").out
    run = [0] * 25
    run[12], run[15] = 9, 1
    tally(conn, outcome="succeeded", n=10, ended=10, run=run)
    tally(conn, outcome="succeeded", n=10, ended=10, target="shop.web:get", run=[10, *([0] * 24)])
    slow, fast = pgqueue("tasks", "timings", "--json").json
    assert (slow["name"], fast["name"]) == ("shop.mail:send", "shop.web:get")
    assert 67 < slow["run_p95"] <= 150
    assert "<1 ms" in pgqueue("tasks", "timings", "--since", "1h").out
    assert pgqueue("tasks", "timings", "-q", "nobody", "--json").json == []


def test_a_worker_shows_what_it_says_of_itself(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job = enqueue("send_receipt")
    claimed(conn, job)
    said = {
        "busy": 1,
        "slots": 4,
        "rss": 2**28,
        "release": f"4f1a{STEER}",
        "running": [[job, 1, 61.5]],
        "python": "3.12.1",
    }
    execute(conn, workers.heartbeat(WORKER, timedelta(minutes=5), json.dumps(said)))
    conn.commit()
    shown = pgqueue("workers", "show", str(WORKER)[:3]).out
    assert "256 MB" in shown
    assert job in shown
    assert "\x1b" not in shown
    (found,) = pgqueue("workers", "list", "-v", "--json").json
    assert (found["id"], found["report"]["busy"], found["report"]["running"][0]["id"]) == (WORKER, 1, job)
    assert "1/4" in pgqueue("workers", "list", "-v").out
    assert pgqueue("workers", "show", "77777").code == 4


def test_workers_of_different_releases_are_said_to_differ(pgqueue: Command, conn: Conn) -> None:
    for worker, release in ((1001, "a"), (1002, "b"), (1003, "b")):
        execute(conn, workers.enlist(worker, "here", 1, None, "thread", 1, timedelta(minutes=5)))
        execute(conn, workers.heartbeat(worker, timedelta(minutes=5), json.dumps({"release": release})))
    conn.commit()
    assert "The workers differ: 2 of 3 run b, 1 of 3 run a." in pgqueue("workers", "list", "-v").out
