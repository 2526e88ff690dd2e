"""Whom the faults look for: attempts that run now, in the state that makes it dangerous to hit them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue.client import enqueue
from pgqueue.embedded import Server
from pgqueue.ids import new_job_id
from pgqueue.store.connection import open_connection
from pgqueue.verify import tasks
from pgqueue.verify.aims import Aim, Victim, is_taken_over, victims
from pgqueue.verify.scratch import scratch

Conn = psycopg.Connection[Any]

WORKER_PID, CHILD_PID = 1000, 1001
WORKER = """
insert into pgqueue.workers (id, host, pid, expires_at, executor, concurrency)
values (%s, 'here', %s, now() + interval '1 h', 'process', 1)
"""
ASKED = """
insert into verify.asked (job_id, created, kind, fails, has_ttl, not_before) values (%s, true, %s, %s, false, now())
"""
RUN = "update pgqueue.jobs set worker = %s, claim = %s, attempt = %s, started_at = now() where id = %s"
START = "insert into verify.starts (job_id, claim, worker, attempt, run_at, pid) values (%s, %s, %s, %s, now(), %s)"
END = "insert into verify.ends (job_id, claim, what) values (%s, %s, %s)"


@pytest.fixture
def ledger(server: Server, tmp_path: Path) -> Iterator[Conn]:
    """A scratch database with two workers."""
    with scratch(server.dsn(tcp=True), tmp_path, 30.0, keep=False) as made, open_connection(made.dsn, "verify") as conn:
        for worker in (1, 2):
            conn.execute(WORKER, [worker, WORKER_PID * worker])
        yield conn


def runs(conn: Conn, kind: str, *, fails: int = 0, said: str | None = None) -> Victim:
    """A job of worker 1 that runs in its child and takes a second."""
    job = enqueue(conn, getattr(tasks, kind), [1.0, 1] if kind == "fails" else [1.0], job_id=new_job_id(), priority=9)
    conn.execute(ASKED, [job.id, kind, fails])
    conn.execute(RUN, [1, 1, 1, job.id])
    conn.execute(START, [job.id, 1, 1, 1, CHILD_PID])
    if said is not None:
        conn.execute(END, [job.id, 1, said])
    return Victim(job.id, 1, CHILD_PID, WORKER_PID)


def test_each_aim_finds_those_that_it_is_for(ledger: Conn) -> None:
    plain, once, lasting = (runs(ledger, kind) for kind in ("plain", "once", "overruns"))
    failing, wrote = runs(ledger, "fails", fails=1), runs(ledger, "effect", said="wrote")
    runs(ledger, "plain", said="returned")
    everybody = {plain, once, lasting, failing, wrote}
    found = {aim: set(victims(ledger, aim)) for aim in Aim}
    assert found == {
        Aim.ANY: everybody,
        Aim.IN_CHILD: everybody,
        Aim.ONCE: {once},
        Aim.WROTE: {wrote},
        Aim.SUCCEEDING: {plain},
        Aim.FAILING: {failing},
        Aim.LASTING: {lasting},
    }


def test_a_job_is_taken_over_once_its_child_has_finished_and_another_has_begun(ledger: Conn) -> None:
    victim = runs(ledger, "plain")
    ledger.execute(END, [victim.job_id, 1, "returned"])
    assert is_taken_over(ledger, victim) is None
    ledger.execute(RUN, [2, 2, 2, victim.job_id])
    assert is_taken_over(ledger, victim) is None
    ledger.execute(START, [victim.job_id, 2, 2, 2, CHILD_PID + 1])
    assert is_taken_over(ledger, victim) is True
    ledger.execute("delete from pgqueue.jobs where id = %s", [victim.job_id])
    assert is_taken_over(ledger, victim) is False
