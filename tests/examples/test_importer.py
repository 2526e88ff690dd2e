"""The import of a CSV file is killed at any moment, and each of its rows is there once."""

from __future__ import annotations

import csv
import importlib
import os
import random
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.record import Watched
from tests.conftest import Connect
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.running import Desk, StartProcess

BROKEN_EVERY = 997
OPTIONS: dict[str, Any] = {"app": ["importer.tasks"], "queues": ["imports"], "concurrency": 1, "lease": 2, "poll": 0.2}


@pytest.fixture
def orders(desk: Desk) -> None:
    """The tables of the example."""
    desk.conn.execute((ROOT / "examples" / "importer" / "schema.sql").read_text())


def begun(conn: psycopg.Connection[Any], path: Path, rows: int) -> UUID:
    """A file of so many rows, and the job that imports it."""
    importlib.import_module("importer.generate").generate(path, rows)
    start = importlib.import_module("importer.start").start
    job = start(conn, path)
    assert start(conn, path).id == job.id
    found: UUID = job.id
    return found


def check_orders(desk: Desk, path: Path, rows: int) -> None:
    """Each row of the file is there once, and as it stands there; each broken one is told."""
    with path.open(encoding="utf-8", newline="") as file:
        expected = [
            (number, row["customer"], row["city"], row["ordered"], Decimal(row["amount"]))
            for number, row in enumerate(csv.DictReader(file), 1)
            if number % BROKEN_EVERY
        ]
    found = desk.conn.execute("select line, customer, city, ordered::text, amount from orders order by line").fetchall()
    assert found == expected
    assert desk.values("select line from refused_lines order by line") == [*range(BROKEN_EVERY, rows + 1, BROKEN_EVERY)]


@pytest.mark.usefixtures("orders")
def test_an_import_goes_on_behind_the_last_batch_after_kill_9(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    rows = 6_000
    job = begun(desk.conn, tmp_path / "orders.csv", rows)
    worker = spawn(**OPTIONS)
    wait_until(lambda: desk.one("select count(*) >= 500 from orders"), 20, "a batch")
    for pid in worker.children:
        os.kill(pid, signal.SIGKILL)
    assert desk.await_state(job, timeout=30).state == "succeeded"
    check_orders(desk, tmp_path / "orders.csv", rows)


@pytest.mark.faults
@pytest.mark.usefixtures("orders")
def test_100_000_rows_are_imported_once_whatever_is_killed_and_stopped(
    spawn: StartProcess, desk: Desk, connect: Connect, tmp_path: Path
) -> None:
    rows, chance = 100_000, random.Random(7)
    job = begun(desk.conn, tmp_path / "orders.csv", rows)
    kills = iter(sorted(chance.sample(range(5, 90), 6)))
    worker, kill_at, seen = spawn(**OPTIONS), next(kills), list[Watched]()
    for each in pgqueue.watch(connect(), job, timeout=120):
        seen.append(each)
        if each.progress is None or each.progress.share is None or 100 * each.progress.share < kill_at:
            continue
        kill_at = next(kills, 1_000)
        number = chance.choice((signal.SIGKILL, signal.SIGTERM))
        victims = chance.choice(([worker.pid], sorted(worker.children) or [worker.pid]))
        for pid in victims:
            os.kill(pid, number)
        if victims == [worker.pid]:
            worker.wait()
            worker = spawn(**OPTIONS)
    assert seen[-1].state == "succeeded"
    check_orders(desk, tmp_path / "orders.csv", rows)
