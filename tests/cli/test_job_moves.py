"""What the commands that move jobs say, against what then becomes of the job."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue import client
from pgqueue.ids import new_job_id
from tests.cli.conftest import SHOP, Command, Start
from tests.cli.moves import buried, claimed, succeeded
from tests.waiting import wait_until

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]
BROUGHT: dict[str, Callable[[Conn, str], object]] = {
    "ready": lambda conn, job_id: None,
    "running": claimed,
    "succeeded": succeeded,
    "dead": buried,
}


def state(conn: Conn, job_id: str) -> str:
    found = client.get_job(conn, UUID(job_id)).state
    conn.rollback()
    return found


@pytest.mark.parametrize(
    ("verb", "before", "code", "after", "message"),
    [
        ("cancel", "ready", 0, "cancelled", ""),
        ("cancel", "running", 0, "running", "is told to end it"),
        ("cancel", "succeeded", 1, "succeeded", "has succeeded already"),
        ("cancel", "dead", 1, "dead", "is dead already"),
        ("retry", "ready", 0, "ready", ""),
        ("retry", "running", 1, "running", "runs already"),
        ("retry", "succeeded", 1, "succeeded", "enqueue it anew"),
        ("retry", "dead", 0, "ready", ""),
    ],
)
def test_what_is_said_of_a_move_is_what_happens(
    pgqueue: Command, enqueue: Enqueue, conn: Conn, verb: str, before: str, code: int, after: str, message: str
) -> None:
    job_id = enqueue("send_receipt")
    BROUGHT[before](conn, job_id)
    ran = pgqueue("jobs", verb, job_id)
    assert (ran.code, ran.out) == (code, f"{job_id} {after}\n")
    assert message in ran.err
    assert bool(ran.err) == bool(message)
    assert state(conn, job_id) == after


@pytest.mark.parametrize("executor", ["process", "thread", "async"])
def test_a_running_job_that_is_cancelled_ends_as_the_message_says(
    pgqueue: Command, enqueue: Enqueue, start: Start, conn: Conn, tmp_path: Path, executor: str
) -> None:
    job_id = enqueue("linger", f'["{tmp_path}", 60]')
    worker = start("worker", "-A", SHOP, "-x", executor, "-c", "2")
    wait_until((tmp_path / "running").exists, 60)
    ran = pgqueue("jobs", "cancel", job_id, "--wait", "30")
    assert (ran.code, ran.out, ran.err) == (0, f"{job_id} cancelled\n", "")
    assert state(conn, job_id) == "cancelled"
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)


def test_a_job_that_does_not_end_in_time_is_said_to_run_still(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt")
    claimed(conn, job_id)
    ran = pgqueue("jobs", "cancel", job_id, "--wait", "100ms")
    assert (ran.code, ran.out) == (1, f"{job_id} running\n")
    assert "runs still after 0.1 s" in ran.err


def test_the_first_digits_of_an_id_will_do(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    waiting, done, dead = (enqueue("send_receipt", "--job-id", UUID(int=n << 120)) for n in (0x11, 0x22, 0x33))
    succeeded(conn, done)
    buried(conn, dead)
    for given, job_id in (("11", waiting), (waiting.upper(), waiting), ("2200-00", done), ("33", dead)):
        assert pgqueue("jobs", "show", given, "--json").json["id"] == job_id
    assert pgqueue("jobs", "cancel", "11", "33").code == 1
    assert state(conn, waiting) == "cancelled"
    assert pgqueue("dead", "show", "33").code == 0
    assert pgqueue("jobs", "retry", "33").out == f"{dead} ready\n"


def test_digits_that_begin_no_id_or_several_move_nothing(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    ids = [enqueue("send_receipt", "--job-id", UUID(int=n << 112)) for n in (0x1111, 0x1122)]
    ran = pgqueue("jobs", "cancel", "11")
    assert ran.code == 2
    assert f"several jobs' ids begin with 11, such as {ids[0]} and {ids[1]}" in ran.err
    assert {state(conn, job_id) for job_id in ids} == {"ready"}
    ran = pgqueue("jobs", "cancel", "9f")
    assert (ran.code, ran.out) == (4, "")
    assert "no job's id begins with 9f; `pgqueue jobs list` shows them" in ran.err
    assert "32 hexadecimal digits" in pgqueue("jobs", "cancel", "4x").err
    assert pgqueue("jobs", "cancel", new_job_id()).code == 4
