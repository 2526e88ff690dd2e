"""`pgqueue jobs`: look at jobs, and move one by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from pgqueue.cli import job_page
from tests.cli.conftest import SHOP, Command
from tests.cli.moves import TRACEBACK, WORKER, buried, live_ids, succeeded

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]


def test_list_shows_the_newest_first(pgqueue: Command, enqueue: Enqueue) -> None:
    first, second = enqueue("send_receipt"), enqueue("break_down", "--delay", "1h")
    lines = pgqueue("jobs", "list").out.splitlines()
    assert lines[0].split() == ["ID", "STATE", "QUEUE", "TARGET", "ATTEMPT", "DUE", "ENDED", "LAST", "ERROR"]
    assert lines[1].split()[:4] == [second, "scheduled", "default", f"{SHOP}:break_down"]
    assert lines[2].split()[:4] == [first, "ready", "default", f"{SHOP}:send_receipt"]


def test_list_has_nothing_to_show(pgqueue: Command) -> None:
    assert pgqueue("jobs", "list").out == "No such job.\n"
    assert pgqueue("jobs", "list", "--json").json == []


def test_list_is_narrowed(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    mail, later, dead = enqueue("send_receipt", "--queue", "mail"), enqueue("count", "--delay", 60), enqueue("charge")
    buried(conn, dead)

    def ids(*words: object) -> list[str]:
        return [job["id"] for job in pgqueue("jobs", "list", "--json", *words).json]

    assert ids("--state", "dead") == [dead]
    assert ids("--state", "dead", "--state", "scheduled") == [dead, later]
    assert ids("--queue", "mail") == [mail]
    assert ids("--target", f"{SHOP}:count") == [later]
    assert ids("--limit", 1) == [dead]


def test_json_has_the_names_of_the_view(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    enqueue("send_receipt", "[1]", "--label", "a=b")
    (job,) = pgqueue("jobs", "list", "--json").json
    columns = conn.execute("select * from pgqueue.job limit 0").description
    assert columns
    # What waits in another table is looked up for one job alone; what gave up before, and whose it is, is for SQL.
    left_out = ("unknown_since", "fallen_from", "tenant")
    assert list(job) == [column.name for column in columns if column.name not in left_out]
    assert (job["args"], job["labels"], job["state"]) == ([1], {"a": "b"}, "ready")
    assert datetime.fromisoformat(job["run_at"]).tzinfo


def test_show_tells_what_became_of_a_job(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt", "[1]", "--unique-key", "u", "--label", "a=b")
    buried(conn, job_id)
    shown = pgqueue("jobs", "show", job_id).out
    for words in ("dead (exhausted)", "[1]", "unique key   u", "labels       a=b", "failed", str(WORKER)):
        assert words in shown
    assert shown.endswith(TRACEBACK)


def test_show_as_json_carries_the_attempts(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt")
    buried(conn, job_id)
    job = pgqueue("jobs", "show", job_id, "--json").json
    assert job["id"] == job_id
    assert [attempt["outcome"] for attempt in job["attempts"]] == ["failed"]


def test_attempts_are_listed(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt")
    assert pgqueue("jobs", "attempts", job_id).out == "No attempt has ended yet.\n"
    buried(conn, job_id)
    assert "ValueError: no paper" in pgqueue("jobs", "attempts", job_id).out
    (attempt,) = pgqueue("jobs", "attempts", job_id, "--json").json
    assert (attempt["attempt"], attempt["error_type"], attempt["traceback"]) == (1, "ValueError", TRACEBACK)


def test_of_very_many_attempts_the_newest_are_listed(
    pgqueue: Command, enqueue: Enqueue, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_page, "MOST_ATTEMPTS", 3)
    job_id = enqueue("send_receipt")
    conn.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)"
        " select %s, n, n, 'released', 'default', 'a:b' from generate_series(1, 5) as n",
        [job_id],
    )
    conn.commit()
    for command in ("attempts", "show"):
        ran = pgqueue("jobs", command, job_id, "--json")
        listed = ran.json if command == "attempts" else ran.json["attempts"]
        assert [attempt["attempt"] for attempt in listed] == [3, 4, 5]
        assert "the newest 3 attempts" in ran.err


def test_a_result_is_printed_as_json(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt", "--store-result")
    succeeded(conn, job_id, '{"sent":true}')
    for words in ([], ["--wait", 5]):
        ran = pgqueue("jobs", "result", job_id, *words)
        assert (ran.code, ran.json, ran.err) == (0, {"sent": True}, "")


def test_a_result_that_is_not_stored_is_null_and_said_so(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt")
    succeeded(conn, job_id)
    ran = pgqueue("jobs", "result", job_id)
    assert (ran.code, ran.out) == (0, "null\n")
    assert "--store-result" in ran.err


def test_a_job_that_has_not_ended_has_no_result(pgqueue: Command, enqueue: Enqueue) -> None:
    job_id = enqueue("send_receipt")
    ran = pgqueue("jobs", "result", job_id)
    assert ran.code == 1
    assert "is ready and has no result yet; --wait 60 waits" in ran.err
    ran = pgqueue("jobs", "result", job_id, "--wait", "50ms")
    assert ran.code == 1
    assert "has not ended within 0.05 s" in ran.err


def test_the_result_of_a_dead_job_is_its_traceback(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    job_id = enqueue("send_receipt")
    buried(conn, job_id)
    ran = pgqueue("jobs", "result", job_id)
    assert (ran.code, ran.out) == (1, "")
    assert "is dead (exhausted)" in ran.err
    assert TRACEBACK in ran.err


def test_waiting_jobs_are_cancelled(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    ids = [enqueue("send_receipt"), enqueue("count", "--delay", "1h")]
    ran = pgqueue("jobs", "cancel", *ids)
    assert (ran.code, ran.out) == (0, f"{ids[0]} cancelled\n{ids[1]} cancelled\n")
    assert live_ids(conn) == []


def test_one_job_that_cannot_be_moved_keeps_no_other_from_it(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    waiting, done = enqueue("send_receipt"), enqueue("count")
    succeeded(conn, done)
    ran = pgqueue("jobs", "cancel", uuid4(), done, waiting)
    assert ran.code == 4
    assert "no job " in ran.err
    assert "has succeeded already" in ran.err
    assert live_ids(conn) == []


def test_retry_makes_a_waiting_job_due_and_revives_a_dead_one(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    later, dead = enqueue("send_receipt", "--delay", "1h"), enqueue("count")
    buried(conn, dead)
    ran = pgqueue("jobs", "retry", later, dead)
    assert (ran.code, ran.out) == (0, f"{later} ready\n{dead} ready\n")


def test_a_dead_job_whose_unique_key_is_taken_stays_dead(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    dead = enqueue("send_receipt", "--unique-key", "u")
    buried(conn, dead)
    enqueue("send_receipt", "--unique-key", "u")
    ran = pgqueue("jobs", "retry", dead)
    assert ran.code == 1
    assert "unique key" in ran.err
