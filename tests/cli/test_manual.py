"""`pgqueue manual`: what waits for a human, and what the human answers; and where else such jobs are told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.store import execute, secrecy
from pgqueue.tasks import task
from tests import factories
from tests.cli.conftest import SHOP, Command

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]


@task(sensitive=("customer",))
def whisper(customer: str, order_id: int) -> None: ...


@pytest.fixture
def asked(enqueue: Enqueue, conn: Conn) -> Callable[..., str]:
    """The id of a job that waits for a human."""

    def asked(name: str = "send_receipt", *words: object) -> str:
        job_id = enqueue(name, *words)
        (taken,) = factories.claim(conn, factories.enlist(conn))
        assert str(taken.id) == job_id
        factories.fall(conn, taken)
        conn.commit()
        return job_id

    return asked


def test_list_has_those_that_wait_longest_first(pgqueue: Command, asked: Callable[..., str]) -> None:
    assert pgqueue("manual", "list").out == "No job waits for a human.\n"
    first, second = asked("send_receipt", "[7]"), asked("send_receipt", "[8]")
    lines = pgqueue("manual", "list").out.splitlines()
    assert lines[0].split() == ["ID", "SINCE", "QUEUE", "TARGET", "ARGS", "ERROR"]
    assert [line.split()[0] for line in lines[1:]] == [first, second]
    assert lines[1].endswith("[7]   builtins.OSError: no route") or "no route" in lines[1]
    found = pgqueue("manual", "list", "--json", "-n", "1").json
    assert [(each["job"]["id"], each["job"]["state"]) for each in found] == [(first, "manual")]


def test_a_list_shows_no_secret(pgqueue: Command, conn: Conn) -> None:
    conn.autocommit = True
    taken = factories.claim_one(conn, ["ann@example.org", 7])
    conn.execute("update pgqueue.jobs set target = %s", [whisper.target])
    factories.fall(conn, taken)
    assert whisper.secrecy is not None
    execute(conn, secrecy.declare([(whisper.target, whisper.secrecy.said())]))
    for words in (("manual", "list"), ("manual", "list", "--json"), ("manual", "show", str(taken.id))):
        assert "ann@" not in pgqueue(*words).out


def test_done_gives_the_job_its_result(pgqueue: Command, asked: Callable[..., str]) -> None:
    job_id = asked()
    ran = pgqueue("manual", "done", job_id, "--result", '{"price": 12}', "--reason", "by phone")
    assert (ran.code, ran.out) == (0, f"{job_id} succeeded\n")
    assert pgqueue("jobs", "result", job_id).json == {"price": 12}
    shown = pgqueue("jobs", "show", job_id)
    assert "succeeded (degraded: not by the code that it was enqueued for)" in shown.out
    assert "succeeded, degraded" in shown.out
    assert "by hand" in shown.out
    assert "succeeded, degraded" in pgqueue("jobs", "list").out
    (act,) = pgqueue("audit", "list", "--json").json
    assert (act["action"], act["reason"], act["via"], act["job_ids"]) == ("manual done", "by phone", "cli", [job_id])
    again = pgqueue("manual", "done", job_id)
    assert (again.code, again.err) == (1, f"Error: {job_id} does not wait for a human: it is succeeded\n")


def test_fail_gives_jobs_up(pgqueue: Command, asked: Callable[..., str]) -> None:
    ids = [asked(), asked()]
    ran = pgqueue("manual", "fail", *ids, "--why", "no such order")
    assert (ran.code, ran.out) == (0, "".join(f"{each} dead\n" for each in ids))
    assert "given up" in pgqueue("dead", "list").out
    assert "pgqueue.GivenUp: no such order" in pgqueue("jobs", "show", ids[0]).out


def test_what_is_no_json_is_refused(pgqueue: Command, asked: Callable[..., str]) -> None:
    job_id = asked()
    ran = pgqueue("manual", "done", job_id, "--result", "twelve")
    assert ran.code == 2
    assert "--result must be JSON" in ran.err
    assert pgqueue("manual", "show", job_id, "--json").json["state"] == "manual"


def test_retry_gives_it_back_and_cancel_calls_it_off(pgqueue: Command, asked: Callable[..., str]) -> None:
    job_id = asked()
    assert pgqueue("jobs", "retry", job_id).out == f"{job_id} ready\n"
    assert pgqueue("manual", "show", job_id).code == 4
    pgqueue("jobs", "cancel", job_id)
    job_id = asked()
    assert pgqueue("jobs", "cancel", job_id).out == f"{job_id} cancelled\n"


def test_it_is_told_of_wherever_jobs_are_told_of(pgqueue: Command, asked: Callable[..., str], conn: Conn) -> None:
    job_id = asked()
    assert [each["id"] for each in pgqueue("jobs", "list", "state:manual", "--json").json] == [job_id]
    assert [each["id"] for each in pgqueue("jobs", "list", "--state", "manual", "--json").json] == [job_id]
    told = pgqueue("jobs", "explain", job_id)
    assert "it has waited for a human for" in told.out
    assert f"pgqueue manual show {job_id}" in told.out
    assert "1 job waits for a human, the oldest for" in pgqueue("status").out
    assert pgqueue("status", "--json").json["manual"]["count"] == 1
    assert 'state":"manual' in pgqueue("events", "--json").out.replace(" ", "")
    refused = pgqueue("jobs", "run", job_id, "-A", SHOP)
    assert "waits for a human; give it back to its code first" in refused.err
    doctor = pgqueue("doctor", "--only", "manual")
    assert "1 job waits for a human" in doctor.out
    conn.execute("update pgqueue.manual_jobs set since = since - interval '3 days'")
    conn.commit()
    assert "pgqueue manual list" in pgqueue("doctor", "--only", "manual").out
    assert UUID(job_id)
