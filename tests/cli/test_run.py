"""`pgqueue jobs run`: one job, here and now, under a lease like any worker's."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue.embedded import Server
from tests.cli.conftest import SHOP, Command, Start
from tests.cli.moves import buried, claimed, succeeded
from tests.postgres import ROOT
from tests.waiting import wait_until

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]


def state(conn: Conn, job_id: str) -> tuple[Any, ...] | None:
    """State and number of the attempt, as committed now."""
    row = conn.execute("select state, attempt from pgqueue.job where id = %s", [job_id]).fetchone()
    conn.rollback()
    return row


def workers(conn: Conn) -> int:
    count: int = conn.execute("select count(*) from pgqueue.workers").fetchall()[0][0]
    conn.rollback()
    return count


def test_a_job_runs_here_and_succeeds(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt", "[7]", "--store-result")
    ran = pgqueue("jobs", "run", job_id, "-A", SHOP)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("attempt 1 succeeded after 0.0")
    assert pgqueue("jobs", "result", job_id).json == "sent 7"
    assert workers(conn) == 0


@pytest.mark.parametrize("words", [["--delay", "1h"], ["--queue", "closed"]])
def test_neither_a_delay_nor_a_paused_queue_holds_it_back(
    pgqueue: Command, enqueue: Enqueue, conn: Conn, words: list[str]
) -> None:
    pgqueue("queues", "pause", "closed")
    job_id = enqueue("count", "[3]", *words)
    assert pgqueue("jobs", "run", job_id, "-A", SHOP).code == 0
    assert state(conn, job_id) == ("succeeded", 1)


def test_what_a_transactional_job_writes_commits_with_its_success(
    pgqueue: Command, enqueue: Enqueue, conn: Conn
) -> None:
    job_id = enqueue("charge", "[5]")
    assert pgqueue("jobs", "run", job_id, "-A", SHOP).code == 0
    assert conn.execute("select order_id from charged").fetchall() == [(5,)]
    assert state(conn, job_id) == ("succeeded", 1)


def test_a_failure_shows_its_traceback_and_is_retried(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("break_down", '["no ink"]')
    ran = pgqueue("jobs", "run", job_id, "-A", SHOP)
    assert ran.code == 1
    assert "raise ValueError(why)" in ran.err
    assert ran.err.endswith("ValueError: no ink\n")
    assert ran.out.startswith("attempt 1 failed")
    assert state(conn, job_id) == ("retrying", 1)
    assert workers(conn) == 0


def test_middleware_is_entered(pgqueue: Command, enqueue: Enqueue) -> None:
    ran = pgqueue("jobs", "run", enqueue("count", "[1]"), "-A", SHOP, "--middleware", f"{SHOP}:noting")
    assert ran.out.startswith(f"noted {SHOP}:count\nattempt 1 succeeded")


def test_code_outside_of_the_app_is_refused(pgqueue: Command, conn: Conn) -> None:
    job_id = pgqueue("enqueue", "os:system", '["true"]').out.strip()
    ran = pgqueue("jobs", "run", job_id, "-A", SHOP)
    assert ran.code == 1
    assert "os:system is part of Python" in ran.err
    assert state(conn, job_id) == ("dead", 1)


@pytest.mark.parametrize(
    ("bring", "message"),
    [(claimed, "runs already, on worker 4711"), (buried, "revive it first"), (succeeded, "has succeeded already")],
)
def test_what_does_not_wait_is_not_run(
    pgqueue: Command, enqueue: Enqueue, conn: Conn, bring: Callable[..., Any], message: str
) -> None:
    job_id = enqueue("send_receipt", "[1]")
    bring(conn, job_id)
    before = state(conn, job_id)
    ran = pgqueue("jobs", "run", job_id, "-A", SHOP)
    assert ran.code == 1
    assert message in ran.err
    assert state(conn, job_id) == before


def test_a_job_past_its_ttl_is_never_started(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt", "[1]", "--ttl", "1ms")
    wait_until(lambda: conn.execute("select clock_timestamp() > expires_at from pgqueue.jobs").fetchall()[0][0])
    conn.rollback()
    ran = pgqueue("jobs", "run", job_id, "-A", SHOP)
    assert ran.code == 1
    assert "past its ttl" in ran.err
    assert state(conn, job_id) == ("ready", 0)


def test_an_interrupt_gives_the_attempt_back(start: Start, enqueue: Enqueue, conn: Conn, tmp_path: Path) -> None:
    job_id = enqueue("wait_for", f'["{tmp_path}", 60]')
    process = start("jobs", "run", job_id, "-A", SHOP)
    wait_until((tmp_path / "running").exists)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1, err
    assert out.startswith("attempt 1 released")
    assert "Traceback" not in err
    assert state(conn, job_id) == ("ready", 0)
    assert workers(conn) == 0


def test_a_kill_leaves_the_job_to_the_reaper(start: Start, enqueue: Enqueue, conn: Conn, tmp_path: Path) -> None:
    job_id = enqueue("wait_for", f'["{tmp_path}", 60]')
    process = start("jobs", "run", job_id, "-A", SHOP)
    wait_until((tmp_path / "running").exists)
    process.kill()
    process.wait(10)
    conn.execute("update pgqueue.workers set expires_at = now()")
    conn.commit()
    conn.execute("select pgqueue.reap()")
    conn.commit()
    assert state(conn, job_id) == ("ready", 1)


def test_whoever_loses_the_lease_ends_before_another_has_the_job(
    enqueue: Enqueue, conn: Conn, dsn: str, tmp_path: Path
) -> None:
    job_id = enqueue("wait_for", f'["{tmp_path}", 60]')
    code = (
        "import sys; from uuid import UUID; from pgqueue.tasks import Modules;"
        "from pgqueue.worker.foreground import run_job;"
        f"run_job(sys.argv[1], UUID(sys.argv[2]), modules=Modules(('{SHOP}',)), lease=2.0, observe=print)"
    )
    command = [sys.executable, "-c", code, dsn, job_id]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        wait_until((tmp_path / "running").exists)
        conn.execute("delete from pgqueue.workers")
        conn.commit()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 75
    assert "the job is somebody else's now" in err


def test_an_outage_at_the_end_costs_nothing(
    private_server: Server, shell: Command, start: Start, tmp_path: Path
) -> None:
    dsn = private_server.dsn(tcp=True)
    assert shell("migrate", "--dsn", dsn).code == 0
    job_id = shell("enqueue", f"{SHOP}:wait_for", f'["{tmp_path}", 1]', "--dsn", dsn).out.strip()
    process = start("jobs", "run", job_id, "-A", SHOP, "--dsn", dsn)
    wait_until((tmp_path / "running").exists)
    private_server.stop("immediate")
    assert process.stderr
    line = process.stderr.readline()
    while "role=settler" not in line:
        assert "database lost, trying again" in line
        line = process.stderr.readline()
    private_server.start()
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out.startswith("attempt 1 succeeded")
    with psycopg.connect(dsn) as conn:
        assert state(conn, job_id) == ("succeeded", 1)
