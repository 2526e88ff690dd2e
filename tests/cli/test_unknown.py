"""What people see of a job whose task no live worker knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, unknown
from tests.cli.conftest import Command
from tests.factories import claim, enlist, enqueue


def test_a_job_says_that_no_live_worker_knows_it(pgqueue: Command, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        job_id = enqueue(conn)
        assert "waits for" not in pgqueue("jobs", "show", job_id).out
        _park(conn)
    shown = pgqueue("jobs", "show", job_id).out
    assert "waits for    a worker that knows it; no live worker does, since 20" in shown
    assert pgqueue("jobs", "show", job_id, "--json").json["unknown_since"].startswith("20")


def _park(conn: psycopg.Connection[Any]) -> None:
    stranger = enlist(conn)
    execute(conn, unknown.declare_targets(stranger, ["blog"], timedelta(days=7)))
    (taken,) = claim(conn, stranger)
    execute(conn, unknown.park(stranger, [Settlement(taken.id, taken.claim, Move.PARK, "released", error="none")]))
