"""`pgqueue signal`, `steps` and `fork`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg

from pgqueue.store import durable, execute, secrecy
from tests import factories
from tests.cli.conftest import Command
from tests.cli.test_manual import whisper

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]


def test_signal_sends_json_once(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job = enqueue("send_receipt", "[7]")
    assert pgqueue("signal", job, "approval", '{"by": "ann"}', "--reason", "asked").out == f"{job} is sent approval\n"
    again = pgqueue("signal", job, "approval")
    assert again.code == 1
    assert f"{job} was sent approval before; nothing was sent" in again.err
    assert conn.execute("select payload from pgqueue.signals").fetchone() == ({"by": "ann"},)
    assert conn.execute("select action, filter, reason from pgqueue.audit").fetchall() == [
        ("signal", "approval", "asked")
    ]
    assert pgqueue("signal", job, "other", "nonsense").code == 2
    assert pgqueue("signal", "00000000-0000-7000-8000-000000000000", "other").code == 4


def test_steps_lists_what_is_remembered(pgqueue: Command, conn: Conn) -> None:
    conn.autocommit = True
    claim = factories.claim_one(conn)
    assert pgqueue("steps", str(claim.id)).out == "It remembers no steps.\n"
    execute(conn, durable.remember(claim, "step", "charge", 1, '{"a": 1}', '{"target":"shop:refund","given":{}}'))
    execute(conn, durable.sleep(claim, "first day", 2, 3600))
    lines = pgqueue("steps", str(claim.id)).out.splitlines()
    assert lines[0].split() == ["N", "KIND", "STEP", "AT", "UNTIL", "CLAIM", "UNDO", "RESULT"]
    assert [line.split()[1] for line in lines[1:]] == ["step", "sleep"]
    assert "shop:refund" in lines[1]
    found = pgqueue("steps", str(claim.id), "--json").json
    assert [(each["name"], each["result"]) for each in found] == [("charge", {"a": 1}), ("first day", None)]
    assert "there are more" in pgqueue("steps", str(claim.id), "-n", "1").err


def test_steps_of_a_sensitive_task_say_nothing_of_results(pgqueue: Command, conn: Conn) -> None:
    conn.autocommit = True
    claim = factories.claim_one(conn, ["ann@example.org", 7])
    conn.execute("update pgqueue.jobs set target = %s", [whisper.target])
    execute(conn, durable.remember(claim, "step", "echo", 1, '"ann@example.org"'))
    assert whisper.secrecy is not None
    execute(conn, secrecy.declare([(whisper.target, whisper.secrecy.said())]))
    for words in ((), ("--json",)):
        assert "ann@" not in pgqueue("steps", str(claim.id), *words).out


def test_fork_goes_on_before_a_step(pgqueue: Command, conn: Conn) -> None:
    conn.autocommit = True
    claim = factories.claim_one(conn, {"a": None})
    for nth, name in enumerate(("look", "charge"), 1):
        execute(conn, durable.remember(claim, "step", name, nth, "1"))
    (made,) = pgqueue("fork", str(claim.id), "charge", "--json").json
    row = conn.execute("select args::text, claim from pgqueue.jobs where id = %s", [made["job"]]).fetchone()
    assert row == (json.dumps({"a": None}, separators=(",", ":")), 1)
    assert [memo.name for memo in execute(conn, durable.memos(made["job"]))] == ["look"]
    assert "has no step 'mail'" in pgqueue("fork", str(claim.id), "mail").err
