"""`pgqueue dead`: look at dead jobs, revive or forget them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgqueue.cli import dead as command
from tests.cli.conftest import SHOP, Command
from tests.cli.moves import TRACEBACK, buried, live_ids

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]


@pytest.fixture
def three(enqueue: Enqueue, conn: Conn) -> list[str]:
    """Three dead jobs, the second in queue `mail`, the third of another task."""
    ids = [enqueue("send_receipt"), enqueue("send_receipt", "--queue", "mail"), enqueue("count")]
    for job_id in ids:
        buried(conn, job_id)
    return ids


def dead_ids(conn: Conn) -> list[str]:
    found = [str(row[0]) for row in conn.execute("select id from pgqueue.dead_jobs order by id")]
    conn.rollback()
    return found


def test_list_gives_reason_and_error(pgqueue: Command, three: list[str]) -> None:
    lines = pgqueue("dead", "list").out.splitlines()
    assert lines[0].split()[:3] == ["ID", "DIED", "REASON"]
    assert lines[1].split()[0] == three[2]
    assert "exhausted" in lines[1]
    assert lines[1].endswith("ValueError: no paper")
    assert [job["id"] for job in pgqueue("dead", "list", "--queue", "mail", "--json").json] == [three[1]]


def test_no_dead_job_is_good_news(pgqueue: Command) -> None:
    assert pgqueue("dead", "list").out == "No dead job.\n"
    assert pgqueue("dead", "retry", "--all").out == "0 revived\n"
    assert pgqueue("dead", "purge").out == "No dead job to purge.\n"


def test_show_ends_with_the_traceback(pgqueue: Command, three: list[str]) -> None:
    assert pgqueue("dead", "show", three[0]).out.endswith(TRACEBACK)
    assert pgqueue("dead", "show", three[0], "--json").json["reason"] == "exhausted"


def test_show_of_a_live_job_says_where_to_look(pgqueue: Command, enqueue: Enqueue) -> None:
    job_id = enqueue("send_receipt")
    ran = pgqueue("dead", "show", job_id)
    assert ran.code == 4
    assert f"it is ready; see `pgqueue jobs show {job_id}`" in ran.err


def test_named_jobs_are_revived(pgqueue: Command, three: list[str], conn: Conn) -> None:
    assert pgqueue("dead", "retry", *three[:2]).code == 0
    assert live_ids(conn) == three[:2]


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_all_are_revived_in_batches(
    pgqueue: Command, three: list[str], conn: Conn, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "BATCH", batch)
    assert pgqueue("dead", "retry", "--all").out == "3 revived\n"
    assert live_ids(conn) == three
    assert dead_ids(conn) == []


def test_all_of_a_queue_or_task_are_revived(pgqueue: Command, three: list[str], conn: Conn) -> None:
    assert pgqueue("dead", "retry", "--all", "--queue", "mail").out == "1 revived\n"
    assert pgqueue("dead", "retry", "--all", "--target", f"{SHOP}:count").out == "1 revived\n"
    assert live_ids(conn) == three[1:]


def test_a_unique_key_that_is_taken_keeps_no_other_dead(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    dead = enqueue("send_receipt", "--unique-key", "u")
    buried(conn, dead)
    enqueue("send_receipt", "--unique-key", "u")
    other = enqueue("count")
    buried(conn, other)
    ran = pgqueue("dead", "retry", "--all")
    assert ran.out == "1 revived\n"
    assert "1 stay dead: a live job has their unique key" in ran.err
    assert dead_ids(conn) == [dead]


def test_purge_asks_first(pgqueue: Command, three: list[str], conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = pgqueue("dead", "purge")
    assert ran.code == 1
    assert "Forget 3 dead jobs for good?" in ran.err
    assert dead_ids(conn) == three


def test_purge_without_a_terminal_purges_nothing(shell: Command, three: list[str], conn: Conn) -> None:
    assert shell("dead", "purge").code == 1
    assert dead_ids(conn) == three


@pytest.mark.parametrize("batch", [1, 500])
def test_purge_forgets_what_was_asked(
    pgqueue: Command, three: list[str], conn: Conn, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "BATCH", batch)
    assert pgqueue("dead", "purge", "--yes", "--queue", "mail").out == "1 purged\n"
    assert pgqueue("dead", "purge", "--yes", "--target", f"{SHOP}:nothing").out == "No dead job to purge.\n"
    assert pgqueue("dead", "purge", "--yes").out == "2 purged\n"
    assert dead_ids(conn) == []
    assert pgqueue("jobs", "show", three[0]).code == 4


def test_purge_spares_the_young(pgqueue: Command, three: list[str], conn: Conn) -> None:
    conn.execute("update pgqueue.dead_jobs set died_at = now() - interval '8 days' where id = %s", [three[0]])
    conn.commit()
    assert pgqueue("dead", "purge", "--yes", "--older-than", "7d").out == "1 purged\n"
    assert dead_ids(conn) == three[1:]
