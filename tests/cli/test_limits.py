"""`pgqueue limits`: set, listed, shown and removed."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Command
from tests.factories import enlist
from tests.limits import take_keyed


def test_a_limit_is_set_shown_and_removed(pgqueue: Command) -> None:
    ran = pgqueue("limits", "set", "tenant:*", "--concurrency", 2, "--rate", "100/m", "--burst", 20)
    assert (ran.code, ran.out) == (0, "tenant:*: concurrency 2, rate 100/m, burst 20\n")
    assert pgqueue("limits", "set", "tenant:*", "--rate", "5/10s", "--burst", "none").out.endswith("rate 5/10s\n")
    shown = pgqueue("limits", "show", "tenant:7")
    facts = [(line[:12].strip(), line[12:].strip()) for line in shown.out.splitlines()[:3]]
    assert facts == [("key", "tenant:7"), ("ruled by", "tenant:*"), ("limit", "concurrency 2, rate 5/10s")]
    ran = pgqueue("limits", "remove", "tenant:7")
    assert (ran.code, ran.err) == (
        4,
        "Error: there is no limit of the key 'tenant:7'; it is ruled by 'tenant:*', which can be removed\n",
    )
    assert pgqueue("limits", "remove", "tenant:*").code == 0
    assert pgqueue("limits", "show", "tenant:7").code == 4


def test_limits_of_queues_and_tasks(pgqueue: Command) -> None:
    assert pgqueue("limits", "set", "--queue", "mail", "--concurrency", 10).out == "mail: concurrency 10\n"
    assert pgqueue("limits", "set", "--task", "shop:send", "--rate", "1/s").out == "shop:send: rate 1/s\n"
    rows = pgqueue("limits", "list", "--json").json
    assert [(row["scope"], row["name"], row["concurrency"], row["rate"]) for row in rows] == [
        ("queue", "mail", 10, None),
        ("task", "shop:send", None, "1/s"),
    ]
    assert pgqueue("limits", "show", "--task", "shop:send", "--json").json["rate"] == "1/s"
    assert pgqueue("limits", "remove", "--queue", "mail").code == 0
    assert pgqueue("limits", "remove", "--queue", "mail").code == 4


def test_an_ordered_key_and_one_without_a_limit(pgqueue: Command) -> None:
    ran = pgqueue("limits", "set", "account:*", "--ordered", "--on-dead", "stop", "--weight", 3)
    assert ran.out == "account:*: concurrency 1, weight 3, ordered, stops at a dead job\n"
    assert pgqueue("limits", "set", "account:*", "--on-dead", "go-on").out.endswith("weight 3, ordered\n")
    assert pgqueue("limits", "set", "account:house").out == "account:house: no limit\n"


def test_limits_are_listed_page_by_page(pgqueue: Command) -> None:
    assert pgqueue("limits", "list").out == "There is no limit; set one: `pgqueue limits set`.\n"
    for number in range(5):
        pgqueue("limits", "set", f"k:{number}", "--concurrency", 1)
    ran = pgqueue("limits", "list", "-n", 3)
    assert [line.split()[1] for line in ran.out.splitlines()] == ["NAME", "k:0", "k:1", "k:2"]
    assert ran.err == "there are more; go on with --after key:k:2\n"
    ran = pgqueue("limits", "list", "--after", "key:k:2")
    assert [line.split()[1] for line in ran.out.splitlines()] == ["NAME", "k:3", "k:4"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["set", "--concurrency", "1"], "a limit is of one thing"),
        (["set", "k", "--queue", "q"], "a limit is of one thing"),
        (["set", "k", "--rate", "100/min"], "did you mean '100/m'?"),
        (["set", "k", "--concurrency", "many"], "a whole number, or none, got 'many'"),
        (["set", "k", "--burst", "3"], "burst 3 has no rate to be of; give a rate"),
        (["set", "--task", "send"], "must read 'module:function'"),
        (["set", "k", "--on-dead", "halt"], "'halt' is none of go-on, stop"),
        (["list", "--after", "k"], "reads like key:NAME"),
    ],
)
def test_what_no_limit_can_be_is_a_fault_of_the_call(pgqueue: Command, words: list[str], message: str) -> None:
    ran = pgqueue("limits", *words)
    assert ran.code == 2
    assert message in ran.err.replace("\n", " ")


def test_a_queue_is_limited_and_told_how(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    assert pgqueue("queues", "limit", "mail").out == "mail: no limit\n"
    ran = pgqueue("queues", "limit", "mail", "--concurrency", 10, "--rate", "50/s", "--max-size", 3)
    assert ran.out == "mail: concurrency 10, rate 50/s, max size 3, on full raise\n"
    ran = pgqueue("queues", "limit", "mail", "--rate", "none", "--on-full", "drop_oldest")
    assert ran.out == "mail: concurrency 10, max size 3, on full drop_oldest\n"
    assert pgqueue("queues", "limit", "mail", "--max-size", 4).out.endswith("max size 4, on full drop_oldest\n")
    assert pgqueue("queues", "limit", "mail", "--concurrency", "none", "--max-size", "none").out == "mail: no limit\n"
    conn.execute("select pgqueue.enqueue('a:b', queue => 'mail') from generate_series(1, 9)")


def test_a_full_queue_is_told_to_who_enqueues(pgqueue: Command) -> None:
    pgqueue("queues", "limit", "mail", "--max-size", 1)
    assert pgqueue("enqueue", "a:b", "--queue", "mail").code == 0
    ran = pgqueue("enqueue", "a:b", "--queue", "mail")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: the queue 'mail' is full: it holds 1 jobs; enqueue it again when")


def test_a_size_cannot_be_set_while_somebody_writes_and_the_rest_is_not_set_either(
    pgqueue: Command, conn: psycopg.Connection[Any]
) -> None:
    conn.execute("select pgqueue.enqueue('a:b')")
    ran = pgqueue("queues", "limit", "mail", "--concurrency", 3, "--max-size", 5)
    assert ran.code == 1
    assert "in use by a transaction that has been open for a second" in ran.err
    conn.rollback()
    assert pgqueue("queues", "limit", "mail").out == "mail: no limit\n"


def test_on_full_needs_a_size(pgqueue: Command) -> None:
    ran = pgqueue("queues", "limit", "mail", "--on-full", "raise")
    assert ran.code == 2
    assert "on_full is of a queue that has a max_size; say how many" in ran.err


def test_how_much_of_a_limit_is_in_use_is_told(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    pgqueue("limits", "set", "tenant:*", "--concurrency", 2, "--rate", "100/m")
    pgqueue("limits", "set", "--queue", "mail", "--concurrency", 5)
    conn.execute("select pgqueue.adopt_limits()")
    conn.execute(
        "select pgqueue.enqueue('a:b', queue => 'mail', limit_key => 'tenant:' || n % 2)"
        " from generate_series(1, 6) as n"
    )
    conn.commit()
    taken = take_keyed(conn, enlist(conn))
    assert len(taken) == 4
    conn.commit()
    rows = {row["name"]: row["in_use"] for row in pgqueue("limits", "list", "--json").json}
    assert rows == {"mail": 4, "tenant:*": 4}
    shown = pgqueue("limits", "show", "tenant:1", "--json").json
    assert shown["use"] == {"shares": 2, "starts": 2, "waiting": 1}
    facts = {line[:12].strip(): line[12:].strip() for line in pgqueue("limits", "show", "tenant:1").out.splitlines()}
    assert (facts["in use"], facts["started"], facts["waiting"]) == ("2", "2 of 100/m", "1")
    assert pgqueue("limits", "show", "--queue", "mail", "--json").json["use"]["shares"] == 4
    assert pgqueue("limits", "show", "tenant:*", "--json").json["use"] is None


def test_a_role_is_told_what_it_may_enqueue_and_says_it(pgqueue: Command) -> None:
    assert pgqueue("limits", "role").err.startswith("No role has a limit")
    ran = pgqueue("limits", "role", "*", "--max-queues", "100", "--max-size", "1000", "--max-args", "4096")
    assert ran.out == "every role: max queues 100, max size 1000, max args 4096 bytes\n"
    me = pgqueue("limits", "role", "pg_monitor", "--rate", "100/s", "--burst", "200")
    assert me.out == "pg_monitor: rate 100/s, burst 200\n"
    assert pgqueue("limits", "role").out.splitlines()[1] == me.out.strip()
    assert pgqueue("limits", "role", "pg_monitor", "--burst", "none", "--json").json[0]["burst"] is None
    large = pgqueue("enqueue", "shop.tasks:send", '["' + "x" * 5000 + '"]')
    assert large.code == 1
    assert "no role may enqueue a job of more than 4096 bytes" in " ".join(large.err.split())
    assert "limits role" in pgqueue("audit", "list").out
    assert pgqueue("limits", "role", "pg_monitor", "--remove").out == "pg_monitor: no limit\n"
    assert pgqueue("limits", "role", "pg_monitor", "--remove").code == 4
    assert pgqueue("limits", "role", "*", "--remove").out == "every role: no limit\n"
    assert pgqueue("limits", "role", "--rate", "1/s").code == 2
    assert pgqueue("limits", "role", "nobody_at_all", "--rate", "1/s").code == 2
