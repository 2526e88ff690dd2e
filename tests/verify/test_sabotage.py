"""The checker finds planted damage, each kind of it, and finds nothing where there is none."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.store.connection import open_connection
from pgqueue.verify import limiting, ticking
from pgqueue.verify.asking import ask
from pgqueue.verify.checks import NAMES, check, rules
from pgqueue.verify.sabotage import SABOTAGES, prove
from pgqueue.verify.scratch import scratch
from pgqueue.verify.workers import APP
from pgqueue.verify.workload import sample
from pgqueue.worker import Worker
from tests.waiting import wait_until


def test_the_checker_finds_each_sabotage_and_nothing_else(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scratch(server.dsn(tcp=True), tmp_path, 30.0, keep=False) as made:
        monkeypatch.setenv("PGQUEUE_DSN", made.dsn)
        with open_connection(made.dsn, "verify") as conn:
            # No sabotage is about a timeout, and to wait for one would take longer than all the others.
            pieces = [piece for piece in sample() if piece.task != "overruns"]
            with conn.transaction():
                limiting.begin(conn)
                ask(conn, pieces, [None] * len(pieces))
                ticking.sample(conn)
            # In threads: children would cost more time to start than everything else.
            worker = Worker(made.dsn, concurrency=8, executor="thread", app=[APP], poll=0.2, observers=[])
            thread = threading.Thread(target=worker.run)
            thread.start()
            try:
                wait_until(lambda: not waiting(conn), 60.0, "every job has ended")
            finally:
                worker.stop()
                thread.join()
            assert check(conn) == []
            assert prove(conn) == []


def waiting(conn: psycopg.Connection[Any]) -> bool:
    """Whether a job has not ended."""
    return conn.execute("select from pgqueue.jobs limit 1").fetchone() is not None


def test_every_rule_has_a_sabotage_that_it_must_find() -> None:
    assert {rule for sabotage in SABOTAGES for rule in sabotage.rules} == set(NAMES)
    assert all(rule.meaning.endswith(".") for rule in rules())
