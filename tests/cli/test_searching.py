"""`pgqueue jobs list 'QUERY'`: what a query finds on the command line, and what it says of how far it looked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pgqueue.store import searching
from tests.cli.conftest import SHOP, Command
from tests.cli.moves import buried
from tests.factories import Conn

Enqueue = Callable[..., str]


def found(pgqueue: Command, *words: str) -> list[str]:
    ran = pgqueue(*words, "--json")
    assert ran.code == 0, ran.err
    return [job["id"] for job in ran.json]


def test_a_query_and_options_narrow_together(pgqueue: Command, enqueue: Enqueue) -> None:
    first = enqueue("send_receipt", '{"order_id": 7}', "--queue", "mail", "--label", "tenant=a b")
    second = enqueue("send_receipt", '{"order_id": 8}', "--queue", "web")
    assert found(pgqueue, "jobs", "list", "args.order_id>=7") == [second, first]
    assert found(pgqueue, "jobs", "list", "args.order_id>=7", "queue:mail") == [first]
    assert found(pgqueue, "jobs", "list", "args.order_id>=7", "-q", "web", "-s", "ready") == [second]
    assert found(pgqueue, "jobs", "list", 'label.tenant:"a b"', "-t", f"{SHOP}:send_receipt") == [first]
    assert found(pgqueue, "jobs", "list", "task:send_receipt", "--before", second) == [first]
    assert pgqueue("jobs", "list", "queue:none").out == "No such job.\n"


def test_a_queue_that_has_no_job_is_told_with_the_nearest(pgqueue: Command, enqueue: Enqueue) -> None:
    enqueue("send_receipt", "--queue", "mail")
    ran = pgqueue("jobs", "list", "-q", "mial")
    assert (ran.code, ran.out) == (0, "No such job.\n")
    assert "did you mean mail?" in ran.err
    assert "did you mean" not in pgqueue("jobs", "list", "-q", "mail", "-s", "dead").err


def test_dead_list_finds_dead_jobs_alone(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    dead, _live = enqueue("send_receipt"), enqueue("send_receipt")
    buried(conn, dead)
    assert found(pgqueue, "dead", "list", "task:send_receipt error:PAPER") == [dead]


def test_a_word_that_is_none_names_the_nearest(pgqueue: Command) -> None:
    ran = pgqueue("jobs", "list", "stat:dead")
    assert ran.code == 2
    assert "did you mean state?" in ran.err


def test_a_look_that_came_not_to_the_end_says_how_to_go_on(
    pgqueue: Command, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "BUDGET", 2)
    ids = [enqueue("send_receipt", "--queue", queue) for queue in ("mail", "web", "web", "web")]
    ran = pgqueue("jobs", "list", "queue:mail")
    assert ran.out == ""
    assert "looked at 2 jobs back to" in ran.err
    assert f"found 0; look further with --before {ids[2]}" in ran.err
    assert found(pgqueue, "jobs", "list", "queue:mail", "--before", ids[2]) == [ids[0]]
    assert found(pgqueue, "jobs", "list", "queue:mail", "--further") == [ids[0]]
