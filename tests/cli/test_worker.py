"""`pgqueue worker`, as a process: it works, it stops, it says why it cannot begin."""

from __future__ import annotations

import gc
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue.cli.worker import COLLECTION, _collect_less_often
from tests.cli.conftest import SHOP, Command, Start
from tests.waiting import wait_until

Enqueue = Callable[..., str]


def states(conn: psycopg.Connection[Any]) -> dict[str, str]:
    found = {str(row[0]): row[1] for row in conn.execute("select id, state from pgqueue.job")}
    conn.rollback()
    return found


@pytest.mark.parametrize("kind", ["process", "thread", "async"])
def test_a_burst_works_off_what_is_due_and_ends(
    shell: Command, enqueue: Enqueue, conn: psycopg.Connection[Any], kind: str
) -> None:
    ids = [enqueue("count", "[1]"), enqueue("count", "[2]")]
    ran = shell("worker", "-A", SHOP, "--burst", "-x", kind, "-c", 2)
    assert ran.code == 0, ran.err
    assert states(conn) == dict.fromkeys(ids, "succeeded")
    assert f"target={SHOP}:count" in ran.err


def test_it_serves_the_queues_that_it_was_told(shell: Command, enqueue: Enqueue, conn: psycopg.Connection[Any]) -> None:
    mail, web, other = (enqueue("send_receipt", "[1]", "--queue", name) for name in ("mail", "web", "other"))
    assert shell("worker", "-A", SHOP, "--burst", "-x", "thread", "-Q", "mail, web").code == 0
    assert states(conn) == {mail: "succeeded", web: "succeeded", other: "ready"}


def test_it_serves_queues_by_weights_and_globs_and_leaves_some_out(
    shell: Command, enqueue: Enqueue, conn: psycopg.Connection[Any]
) -> None:
    names = ("critical", "email.in", "email.slow", "other")
    critical, mail, slow, other = (enqueue("send_receipt", "[1]", "--queue", name) for name in names)
    ran = shell("worker", "-A", SHOP, "--burst", "-x", "thread", "-Q", "critical=3, email.*", "-X", "*slow,web")
    assert ran.code == 0, ran.err
    assert states(conn) == {critical: "succeeded", mail: "succeeded", slow: "ready", other: "ready"}


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["-Q", "critical=x"], "the weight of critical must be a whole number, got 'x'; write critical=3"),
        (["-Q", "critical="], "the weight of critical must be a whole number, got ''"),
        (["-Q", "critical=1.5"], "the weight of critical must be a whole number, got '1.5'"),
        (["-Q", "critical=0"], "the weight of critical must be 1 or more, got 0; leave it out with -X critical"),
        (["-Q", "critical=1001"], "the weight of queue 'critical' must be a whole number from 1 to 1000, got 1001"),
        (["-Q", "=3"], "a weight needs a queue before it, got '=3'"),
        (["-Q", "a=1,a=2"], "names a twice"),
        (["-Q", " , "], "names no queue"),
        (["-Q", "a,b", "-X", "?"], "exclude leaves out all of queues"),
        (["-Q", "!a"], "a queue to leave out is named by exclude"),
        (["--ageing", "0"], "a time must be more than 0"),
        (["--ageing", "soon"], "a time reads like"),
    ],
)
def test_wrong_queues_and_times_are_refused_with_what_to_write(pgqueue: Command, words: list[str], fault: str) -> None:
    ran = pgqueue("worker", "-A", SHOP, "--burst", *words)
    assert ran.code == 2
    assert fault in " ".join(ran.err.split())


def test_log_lines_can_be_json(shell: Command, enqueue: Enqueue) -> None:
    job_id = enqueue("send_receipt", "[1]")
    ran = shell("worker", "-A", SHOP, "--burst", "-x", "thread", "--log-format", "json")
    (line,) = [line for line in map(json.loads, ran.err.splitlines()) if line["event"] == "succeeded"]
    assert (line["job"], line["target"], line["attempt"]) == (job_id, f"{SHOP}:send_receipt", 1)


def test_log_lines_can_be_few(shell: Command, enqueue: Enqueue) -> None:
    enqueue("send_receipt", "[1]")
    assert shell("worker", "-A", SHOP, "--burst", "-x", "thread", "--log-level", "error").err == ""


def test_middleware_runs_in_the_child(shell: Command, enqueue: Enqueue) -> None:
    enqueue("send_receipt", "[1]")
    ran = shell("worker", "-A", SHOP, "--burst", "--middleware", f"{SHOP}:noting")
    assert ran.code == 0, ran.err
    assert "noted" in ran.out


def test_term_ends_it_gracefully(start: Start, enqueue: Enqueue, conn: psycopg.Connection[Any], tmp_path: Path) -> None:
    job_id = enqueue("wait_for", f'["{tmp_path}", 0.5]')
    process = start("worker", "-A", SHOP)
    wait_until((tmp_path / "running").exists, 20)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert states(conn) == {job_id: "succeeded"}


def test_a_worker_whose_lease_is_gone_retires(start: Start, conn: psycopg.Connection[Any]) -> None:
    process = start("worker", "-A", SHOP, "--lease", "2s", "-x", "thread")
    conn.autocommit = True
    wait_until(lambda: conn.execute("delete from pgqueue.workers returning id").fetchall(), 20)
    assert process.wait(20) == 75


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-A", "no.such.module"], 2, "cannot import no.such.module"),
        (["-A", "no.such.module", "-x", "thread"], 2, "cannot import no.such.module"),
        (["-A", SHOP, "-x", "thread", "--middleware", "x"], 2, "middleware must read 'module:name', got 'x'"),
        (["-A", SHOP, "--lease", "0.1"], 2, "lease must be 1 second or more"),
        (["-A", SHOP, "--dsn", "postgresql://127.0.0.1:1/x"], 3, "no connection to 127.0.0.1:1/x"),
    ],
)
def test_it_says_why_it_cannot_begin(
    shell: Command, conn: psycopg.Connection[Any], words: list[str], code: int, message: str
) -> None:
    ran = shell("worker", *words)
    assert ran.code == code
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert conn.execute("select count(*) from pgqueue.workers").fetchall() == [(0,)]


def test_without_the_schema_it_stays_down(shell: Command, bare_dsn: str) -> None:
    ran = shell("worker", "-A", SHOP, "--dsn", bare_dsn)
    assert ran.code == 78
    assert "run `pgqueue migrate`" in ran.err


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((700, 10, 10), COLLECTION),
        ((2_000, 10, 0), COLLECTION),
        ((0, 10, 10), (0, 10, 10)),
        ((50_000, 5, 5), (50_000, 5, 5)),
    ],
)
def test_its_process_collects_less_often_than_python_would(
    before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    was = gc.get_threshold()
    try:
        gc.set_threshold(*before)
        _collect_less_often()
        assert gc.get_threshold() == after
    finally:
        gc.set_threshold(*was)
