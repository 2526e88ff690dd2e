"""`pgqueue enqueue`: every option reaches the row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from pgqueue.store import execute, workers
from pgqueue.store.unknown import declare_targets
from tests.cli.conftest import SHOP, Command, Start
from tests.conftest import Connect
from tests.waiting import wait_until


def row(conn: psycopg.Connection[Any], columns: str) -> tuple:
    found = conn.execute(f"select {columns} from pgqueue.jobs").fetchone()
    conn.rollback()
    assert found
    return found


def test_it_prints_the_id_where_programs_read_and_nothing_else(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    ran = pgqueue("enqueue", "a:b", "[1, 2]")
    assert ran.code == 0
    assert row(conn, "id, target, args, queue, priority") == (UUID(ran.out.strip()), "a:b", [1, 2], "default", 5)


def test_every_option_reaches_the_row(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    job_id = uuid4()
    ran = pgqueue(
        *("enqueue", "a:b", '{"x": 1}', "--queue", "mail", "--priority", 9, "--delay", "1h", "--ttl", "30m"),
        *("--timeout", "2m", "--max-attempts", 3, "--unique-key", "u", "--limit-key", "l", "--store-result"),
        *("--cost", 5),
        *("--label", "a=1", "--label", "b=2", "--job-id", job_id),
    )
    assert ran.out == f"{job_id}\n"
    assert row(conn, "args, queue, priority, timeout, max_attempts, unique_key, limit_key, store_result, labels") == (
        *({"x": 1}, "mail", 9, 120.0, 3, "u", "l", True, {"a": "1", "b": "2"}),
    )
    assert row(conn, "cost") == (5,)
    assert "cost         5" in pgqueue("jobs", "show", job_id).out
    due, ttl = row(conn, "run_at, expires_at - run_at")
    assert timedelta(minutes=59) < due - datetime.now(UTC) < timedelta(minutes=61)
    assert ttl == timedelta(minutes=30)


def test_at_and_a_timeout_of_none(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    pgqueue("enqueue", "a:b", "--at", "2031-05-01T09:30+02:00", "--timeout", "none")
    assert row(conn, "run_at, timeout") == (datetime(2031, 5, 1, 7, 30, tzinfo=UTC), float("inf"))


def test_it_says_whether_idle_workers_are_told(pgqueue: Command, connect: Connect) -> None:
    ear = connect(autocommit=True)
    ear.execute("listen pgqueue")
    for queue, how in (("one", "always"), ("two", "off"), ("three", "idle"), ("four", "always")):
        assert pgqueue("enqueue", "a:b", "--queue", queue, "--notify", how).code == 0
    assert [each.payload for each in ear.notifies(timeout=10, stop_after=2)] == ["one", "four"]


def test_a_unique_key_finds_the_live_job(pgqueue: Command) -> None:
    first, second = (pgqueue("enqueue", "a:b", "--unique-key", "k") for _ in range(2))
    assert second.out == first.out
    assert second.code == 0
    assert "nothing was added" in second.err


def test_a_key_made_of_arguments_is_free_at_the_start_and_a_later_call_replaces(
    pgqueue: Command, conn: psycopg.Connection[Any]
) -> None:
    words = ("enqueue", "a:b", "[1]", "--unique", "args", "--unique-until", "start", "--on-conflict", "replace")
    first = pgqueue(*words, "--delay", "5m", "--max-wait", "1h", "--unique-for", "10m")
    second = pgqueue(*words, "--priority", 7)
    assert (first.code, second.code, second.out) == (0, 0, first.out)
    assert "was waiting already" in second.err
    assert row(conn, "priority, start_key = unique_key, run_at > now() + interval '4 minutes'") == (7, True, True)
    count = conn.execute("select count(*) from pgqueue.unique_windows where until > now() + interval '14 m'").fetchone()
    assert count == (1,)


def test_a_key_that_is_taken_can_be_an_error(pgqueue: Command) -> None:
    first, second = (pgqueue("enqueue", "a:b", "--unique-key", "k", "--on-conflict", "raise") for _ in range(2))
    assert (first.code, second.code, second.out) == (0, 1, "")
    assert f"the unique key 'k' is taken by job {first.out.strip()}" in second.err


def test_with_the_app_the_options_of_the_task_hold(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    pgqueue("enqueue", "-A", SHOP, f"{SHOP}:remind", "[1]", "--priority", 2)
    assert row(conn, "queue, priority, max_attempts") == ("mail", 2, 8)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([f"{SHOP}:remnd", "[1]"], f"did you mean {SHOP}:remind?"),
        ([f"{SHOP}:remind", '{"custmer": 1}'], "its arguments are remind(customer"),
        ([f"{SHOP}:charge", "[1, 2]"], "too many positional arguments"),
        (["os:system", '["ls"]'], "os:system is part of Python"),
    ],
)
def test_with_the_app_what_it_could_not_run_is_refused(pgqueue: Command, words: list[str], why: str) -> None:
    ran = pgqueue("enqueue", "-A", SHOP, *words)
    assert ran.code == 2
    assert why in ran.err
    assert pgqueue("jobs", "list").out == "No such job.\n"


def test_what_the_app_prints_is_no_answer(shell: Command, tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text("print('hello')\ndef sell(): ...")
    ran = shell("enqueue", "-A", "chatty", "chatty:sell", PYTHONPATH=str(tmp_path))
    assert UUID(ran.out.strip())
    assert ran.err == "hello\n"


@pytest.mark.parametrize("before", [True, False])
def test_the_dsn_may_stand_before_or_after_the_command(
    pgqueue: Command, monkeypatch: pytest.MonkeyPatch, dsn: str, before: bool
) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", "postgresql://127.0.0.1:1/wrong")
    words = ["--dsn", dsn, "enqueue", "a:b"] if before else ["enqueue", "a:b", "--dsn", dsn]
    assert pgqueue(*words).code == 0


def test_the_nearest_dsn_wins(pgqueue: Command, dsn: str) -> None:
    wrong = "postgresql://127.0.0.1:1/wrong"
    assert pgqueue("--dsn", wrong, "jobs", "--dsn", dsn, "list").code == 0
    assert pgqueue("--dsn", wrong, "jobs", "--dsn", wrong, "list", "--dsn", dsn).code == 0
    assert pgqueue("--dsn", dsn, "jobs", "list", "--dsn", wrong).code == 3


def test_arguments_keep_every_letter(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    pgqueue("enqueue", "a:b", '{"name": "Zoë \\" \\u0001"}')
    assert row(conn, "args") == ({"name": 'Zoë " \x01'},)


def work(conn: psycopg.Connection[Any], worker: int, names: list[str], queues: list[str] | None = None) -> None:
    """A live worker that knows these names."""
    execute(conn, workers.enlist(worker, "shop-1", 99, queues, "thread", 4, timedelta(minutes=5)))
    execute(conn, declare_targets(worker, names, timedelta(days=7)))
    conn.commit()


def test_without_an_app_a_target_that_no_live_worker_knows_is_in_doubt(
    pgqueue: Command, conn: psycopg.Connection[Any]
) -> None:
    ran = pgqueue("enqueue", "shop.tasks:send")
    assert (ran.code, ran.err) == (0, "no worker runs now; the job waits for one that knows shop.tasks:send\n")
    work(conn, 1, ["shop.tasks:send", "lib"])
    work(conn, 2, ["other:task"])
    ran = pgqueue("enqueue", "shop.tasks:sned")
    assert ran.code == 0
    assert "no live worker knows shop.tasks:sned: the job waits" in ran.err
    assert "did you mean shop.tasks:send?" in ran.err
    assert pgqueue("enqueue", "shop.tasks:send").err == ""
    # A function of a worker's own module may run without being a task: nobody can tell from here.
    for perhaps in ("lib:plain_function", "lib.below:plain_function"):
        assert "runs only if it is a plain function of that module" in pgqueue("enqueue", perhaps).err


def test_a_misspelt_task_of_a_workers_own_module_is_in_doubt(pgqueue: Command, start: Start) -> None:
    """As a real worker tells of itself: its tasks, and its module's functions."""
    start("worker", "-A", SHOP, "-x", "thread", "-Q", "default")
    name = f"{SHOP}:send_receipt"
    wait_until(lambda: pgqueue("enqueue", name, "[1]").err == "", timeout=20)
    doubt = pgqueue("enqueue", "tests.cli.shop:send_recipt").err
    assert "no live worker knows tests.cli.shop:send_recipt" in doubt
    assert f"did you mean {name}?" in doubt


def test_with_an_app_a_queue_that_nobody_serves_is_in_doubt_all_the_same(
    pgqueue: Command, conn: psycopg.Connection[Any]
) -> None:
    work(conn, 1, [f"{SHOP}:send_receipt"], ["web"])
    ran = pgqueue("enqueue", f"{SHOP}:send_receipt", "[1]", "-A", SHOP, "--queue", "hot")
    assert "do not serve queue hot, but web" in ran.err


def test_without_an_app_a_queue_that_nobody_who_knows_the_task_serves_is_in_doubt(
    pgqueue: Command, conn: psycopg.Connection[Any]
) -> None:
    work(conn, 1, ["shop.tasks:send"], ["mail", "web"])
    work(conn, 2, ["other:task"])
    doubt = pgqueue("enqueue", "shop.tasks:send").err
    assert "do not serve queue default, but mail, web; --queue names another" in doubt
    assert pgqueue("enqueue", "shop.tasks:send", "--queue", "web").err == ""


def test_who_may_not_look_at_workers_can_enqueue_all_the_same(
    pgqueue: Command, conn: psycopg.Connection[Any], dsn: str
) -> None:
    conn.execute("drop role if exists only_producer")
    conn.execute("create role only_producer login")
    conn.execute("grant usage on schema pgqueue to only_producer")
    conn.execute("grant select, insert on pgqueue.jobs to only_producer")
    conn.execute(
        "grant select on pgqueue.attempts, pgqueue.dead_jobs, pgqueue.queues, pgqueue.alembic_version to only_producer"
    )
    conn.commit()
    try:
        ran = pgqueue("enqueue", "a:b", "--dsn", f"{dsn} user=only_producer")
        assert (ran.code, ran.err) == (0, "")
        assert row(conn, "id") == (UUID(ran.out.strip()),)
    finally:
        conn.execute("drop owned by only_producer")
        conn.execute("drop role only_producer")
        conn.commit()
