"""`pgqueue status`, `queues` and `workers`: how full the queues are, and who works."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.cli import queues as queues_command
from pgqueue.cli import status as command
from pgqueue.cli import workers as workers_command
from tests.cli.conftest import Command, Start
from tests.cli.moves import WORKER, buried, claimed

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]


@pytest.fixture
def busy(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    """A job running, one ready, one scheduled, one dead; queue `mail` is paused."""
    claimed(conn, enqueue("send_receipt"))
    enqueue("send_receipt")
    enqueue("send_receipt", "--delay", "1h")
    buried(conn, enqueue("break_down"))
    pgqueue("queues", "pause", "mail")


@pytest.mark.usefixtures("busy")
def test_status_counts_jobs_by_state(pgqueue: Command) -> None:
    shown = pgqueue("status").out
    assert shown.startswith("Schema at revision 0003, PostgreSQL ")
    lines = [line.split() for line in shown.splitlines()]
    assert ["QUEUE", "READY", "SCHEDULED", "RUNNING", "RETRYING", "DEAD", "OLDEST", "READY"] in lines
    assert ["default", "1", "1", "1", "0", "1"] in [line[:6] for line in lines]
    assert ["mail", "0", "0", "0", "0", "0", "paused"] in lines
    assert [str(WORKER), "shop-1", "99", "mail", "thread", "4", "1"] in [line[:7] for line in lines]


@pytest.mark.usefixtures("busy")
def test_status_as_json(pgqueue: Command) -> None:
    found = pgqueue("status", "--json").json
    assert found["revision"] == "0003"
    assert found["estimates"] is None
    default, mail = found["queues"]
    assert (default["ready"], default["running"], default["dead"], default["paused"]) == (1, 1, 1, False)
    assert default["oldest_ready_age"] >= 0
    assert (mail["queue"], mail["paused"]) == ("mail", True)
    assert [worker["id"] for worker in found["workers"]] == [WORKER]


def test_status_of_a_fresh_database(pgqueue: Command) -> None:
    shown = pgqueue("status").out
    assert "No queue has a job." in shown
    assert "No worker runs" in shown


@pytest.mark.usefixtures("busy")
def test_counting_that_takes_too_long_gives_estimates(
    pgqueue: Command, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PATIENCE", timedelta(seconds=0.2))
    conn.execute("analyze pgqueue.jobs")
    conn.commit()
    conn.execute("lock table pgqueue.jobs in access exclusive mode")
    ran = pgqueue("status")
    assert ran.code == 0
    assert "these are estimates" in ran.err
    assert "jobs: about 3" in ran.out
    assert "attempts: unknown" in ran.out
    assert str(WORKER) in ran.out
    assert pgqueue("status", "--json").json["estimates"]["jobs"] == 3


def test_status_repeats_until_interrupted(start: Start) -> None:
    process = start("status", "-i", "0.05", PYTHONUNBUFFERED="1")
    assert process.stdout
    seen = 0
    while seen < 3:
        seen += "Schema at revision" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stderr
    assert process.stderr.read() == ""


@pytest.mark.usefixtures("busy")
def test_queues_are_listed_with_the_names_of_the_view(pgqueue: Command, conn: Conn) -> None:
    assert "default" in pgqueue("queues", "list").out
    columns = conn.execute("select * from pgqueue.queue_stats limit 0").description
    assert columns
    assert list(pgqueue("queues", "list", "--json").json[0]) == [column.name for column in columns]


def test_a_paused_queue_is_resumed(pgqueue: Command) -> None:
    assert pgqueue("queues", "pause", "mail", "web").out == "mail is paused\nweb is paused\n"
    assert pgqueue("queues", "resume", "mail").out == "mail goes on\n"
    assert [queue["paused"] for queue in pgqueue("queues", "list", "--json").json] == [False, True]


@pytest.mark.usefixtures("busy")
def test_workers_are_listed(pgqueue: Command, conn: Conn) -> None:
    (worker,) = pgqueue("workers", "list", "--json").json
    assert (worker["id"], worker["host"], worker["queues"], worker["running"]) == (WORKER, "shop-1", ["mail"], 1)
    assert "alive" in pgqueue("workers", "list").out
    conn.execute("update pgqueue.workers set expires_at = now()")
    conn.commit()
    assert "expired" in pgqueue("workers", "list").out


@pytest.mark.usefixtures("busy")
def test_a_list_of_workers_that_takes_too_long_to_count_has_no_counts(
    pgqueue: Command, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_command, "PATIENCE", timedelta(seconds=0.2))
    conn.execute("lock table pgqueue.jobs in access exclusive mode")
    ran = pgqueue("workers", "list", "--json")
    assert "RUNNING is not known" in ran.err
    assert [row["running"] for row in ran.json] == [None]


@pytest.mark.usefixtures("busy")
def test_a_list_of_queues_that_takes_too_long_to_count_is_estimated(
    pgqueue: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = {row["queue"]: row for row in pgqueue("queues", "list", "--json").json}
    monkeypatch.setattr(queues_command, "answer_within", lambda *_: None)
    ran = pgqueue("queues", "list", "--json")
    assert "these are estimates" in ran.err
    # A small table is read whole.
    assert {row["queue"]: row for row in ran.json} == {
        name: row | {"oldest_ready_age": None} for name, row in counted.items()
    }


def test_nobody_works(pgqueue: Command) -> None:
    assert pgqueue("workers", "list").out.startswith("No worker runs; start one:")


def test_a_queue_without_a_name_cannot_be_paused(pgqueue: Command) -> None:
    ran = pgqueue("queues", "pause", "mail", "")
    assert (ran.code, ran.out) == (2, "")


def test_a_misspelt_queue_is_told_from_those_with_jobs(pgqueue: Command) -> None:
    pgqueue("enqueue", "a:b", "--queue", "mail")
    ran = pgqueue("queues", "pause", "mial")
    assert (ran.code, ran.err) == (0, "no job waits in mial; jobs wait in mail\n")
    assert pgqueue("queues", "pause", "mail").err == ""
