"""`pgqueue jobs explain` and `pgqueue queues explain`."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import psycopg
import pytest

from pgqueue.job import JobState
from tests.cli.conftest import Command
from tests.factories import fill, make
from tests.limits import rule, take_keyed


def test_a_job_is_explained_in_lines(pgqueue: Command, enqueue: Callable[..., str]) -> None:
    job_id = enqueue("send_receipt", "[1]")
    shown = pgqueue("jobs", "explain", job_id[:20])
    assert shown.code == 0
    assert shown.out.startswith("READY, not running: no worker runs\n  ✓ due for ")
    assert "  ✓ queue default is not paused\n  ✗ no worker runs\n  ? " in shown.out
    assert shown.out.endswith("\n  cure: pgqueue worker -A tests.cli.shop\n")


def test_a_job_is_explained_in_json(pgqueue: Command, enqueue: Callable[..., str]) -> None:
    found = pgqueue("jobs", "explain", enqueue("send_receipt", "[1]", "--delay", "1h"), "--json").json
    assert found["headline"] == "scheduled"
    assert [each["ord"] for each in found["findings"]] == list(range(len(found["findings"])))
    assert found["findings"][0]["detail"]["state"] == "scheduled"


def test_the_state_of_a_job_stands_before_the_answer(pgqueue: Command, enqueue: Callable[..., str]) -> None:
    job_id = enqueue("send_receipt", "[1]", "--delay", "1h")
    assert pgqueue("jobs", "explain", job_id).out.startswith("SCHEDULED: scheduled: not due for 60 min, until 2")
    pgqueue("jobs", "cancel", job_id)
    assert pgqueue("jobs", "explain", job_id).out.startswith("cancelled 0.")


def test_a_job_that_never_was_is_not_found(pgqueue: Command) -> None:
    ran = pgqueue("jobs", "explain", "00000000-0000-7000-8000-000000000000")
    assert (ran.code, ran.out) == (4, "")


def test_a_queue_is_explained(pgqueue: Command, enqueue: Callable[..., str]) -> None:
    enqueue("send_receipt", "[1]", "--queue", "mail")
    pgqueue("queues", "pause", "mail")
    shown = pgqueue("queues", "explain", "mail")
    assert shown.out.startswith("queue mail is paused until somebody resumes it\n")
    assert shown.out.endswith("  cure: pgqueue queues resume -- mail\n")
    assert pgqueue("queues", "explain", "mail", "--json").json["headline"] == "queue_paused"


def test_what_would_steer_a_terminal_is_escaped(pgqueue: Command, enqueue: Callable[..., str]) -> None:
    job_id = enqueue("send_receipt", "[1]", "--queue", "\x1b[31m\nred")
    pgqueue("queues", "pause", "\x1b[31m\nred")
    shown = pgqueue("jobs", "explain", job_id).out
    assert "\x1b" not in shown
    assert "queue \\x1b[31m\\nred is paused" in shown


@pytest.mark.parametrize(("scope", "name"), [("key", "a b"), ("task", "shop.tasks:send"), ("queue", "default")])
@pytest.mark.parametrize("numbers", [{"concurrency": 1}, {"starts": 1, "period": 3600}])
def test_the_cure_of_a_limit_is_a_command_that_works(
    pgqueue: Command, dsn: str, scope: str, name: str, numbers: dict[str, int]
) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        rule(conn, scope, name, **numbers)
        conn.execute("select pgqueue.enlist(7, 'here', 1, null, 'thread', 9, '1 h')")
        _, waiting = fill(conn, 2, limit_key="a b")
        assert len(take_keyed(conn, 7)) == 1
    found = pgqueue("jobs", "explain", waiting, "--json").json
    assert found["headline"] == ("limit_full" if "concurrency" in numbers else "rate")
    cure = next(each["cure"] for each in found["findings"] if each["holds"])
    assert pgqueue(*shlex.split(cure)[1:]).code == 0
    assert pgqueue("jobs", "explain", waiting, "--json").json["headline"] == "ready"


def test_the_cures_of_a_job_that_is_behind_and_of_a_dead_one_work(
    pgqueue: Command, enqueue: Callable[..., str], dsn: str
) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("select pgqueue.enlist(7, 'here', 1, null, 'thread', 9, '1 h')")
        dead = make(conn, JobState.DEAD, unique_key="k")
    enqueue("send_receipt", "[1]", "--unique-key", "k")
    behind = enqueue("send_receipt", "[2]")
    for job_id, before, after in ((behind, "behind", "ready"), (str(dead), "ended", "behind")):
        found = pgqueue("jobs", "explain", job_id, "--json").json
        assert found["headline"] == before
        cure = next(each["cure"] for each in found["findings"] if each["holds"])
        for command in cure.split(" && "):
            assert pgqueue(*shlex.split(command)[1:], *(["--yes"] if "priority" in command else [])).code == 0, command
        assert pgqueue("jobs", "explain", job_id, "--json").json["headline"] == after
