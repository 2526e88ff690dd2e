"""What commands, pages and logs show: that it is encrypted; and what it is, to who has the keys and asks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import pgqueue as library
from pgqueue import encryption
from pgqueue.dashboard import create_app
from tests.cli.conftest import Command, pgqueue
from tests.dashboard.asking import ask
from tests.encryption import tasks
from tests.encryption.conftest import PLANTED, KeyFile, columns_with, ring
from tests.waiting import wait_until
from tests.worker.running import Desk, StartThreaded

__all__ = ["pgqueue"]
APP = ["tests.encryption.tasks"]


@pytest.fixture
def ended(desk: Desk, start: StartThreaded, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A job that succeeded, and one that is dead."""
    source = key_file("k1")
    monkeypatch.setenv("PGQUEUE_ENCRYPTION_KEYS", source)
    encryption.encrypt_with(source)
    jobs = tasks.charge.enqueue(desk.conn, PLANTED), tasks.fail.enqueue(desk.conn, PLANTED)
    worker = start(executor="thread", app=APP)
    states = "select count(*) from pgqueue.job where state in ('succeeded', 'dead')"
    wait_until(lambda: desk.values(states) == [2], 20, "the ends")
    wait_until(lambda: desk.values("select count(*) from pgqueue.job_logs") == [1], 5, "what it said")
    worker.stop()
    return jobs


def every_view(charged: Any, failed: Any) -> list[tuple[object, ...]]:
    return [
        ("jobs", "list"),
        ("dead", "list"),
        ("causes", "list"),
        ("effects", "list"),
        ("events", "--limit", "5"),
        *[
            ("jobs", what, job.id)
            for what in ("show", "attempts", "logs", "explain", "tree")
            for job in (charged, failed)
        ],
        ("jobs", "result", charged.id),
        ("jobs", "result", failed.id),
        ("dead", "show", failed.id),
    ]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_command_shows_what_is_encrypted_unasked(pgqueue: Command, ended: tuple[Any, Any], as_json: bool) -> None:
    for words in every_view(*ended):
        more = ("--json",) if as_json and words[:2] != ("jobs", "result") else ()
        ran = pgqueue(*words, *more)
        assert PLANTED not in ran.out + ran.err, words
        assert '"data"' not in ran.out, words


def test_who_asks_is_told_that_it_is_encrypted(pgqueue: Command, ended: tuple[Any, Any]) -> None:
    charged, failed = ended
    assert "args         (encrypted, key k1)\n" in pgqueue("jobs", "show", charged.id).out
    assert "ValueError: (encrypted, key k1)" in pgqueue("dead", "list").out
    assert "(encrypted, key k1)" in pgqueue("jobs", "logs", charged.id).out
    assert json.loads(pgqueue("jobs", "result", charged.id).out) == "(encrypted, key k1)"
    assert "(encrypted, key k1)" in pgqueue("jobs", "result", failed.id).err


def test_who_has_the_keys_and_asks_sees_it_and_the_audit_says_so(
    pgqueue: Command, ended: tuple[Any, Any], desk: Desk
) -> None:
    charged, failed = ended
    assert f'args         ["{PLANTED}"]' in pgqueue("jobs", "show", charged.id, "--decrypt", "--reason", "t1").out
    assert f"{PLANTED} was declined" in pgqueue("dead", "show", failed.id, "--decrypt").out
    assert f"{PLANTED} was declined" in pgqueue("jobs", "attempts", failed.id, "--decrypt", "--wide").out
    assert f"charging {PLANTED}" in pgqueue("jobs", "logs", charged.id, "--decrypt").out
    assert json.loads(pgqueue("jobs", "result", charged.id, "--decrypt").out)["who"] == PLANTED
    acts = desk.conn.execute("select action, reason, job_ids from pgqueue.audit order by id").fetchall()
    assert [act[0] for act in acts] == [
        f"jobs {what} --decrypt" for what in ("show", "show", "attempts", "logs", "result")
    ]
    assert acts[0][1:] == ("t1", [charged.id])


def test_without_keys_nobody_is_shown_anything(
    pgqueue: Command, ended: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    monkeypatch.delenv("PGQUEUE_ENCRYPTION_KEYS")
    encryption.encrypt_with(None)
    for what in ("show", "attempts", "logs", "result"):
        ran = pgqueue("jobs", what, ended[0].id, "--decrypt")
        assert ran.code == 2
        assert "there are no keys to decrypt with" in ran.err
    encryption.encrypt_with(ring("k7"))
    ran = pgqueue("jobs", "show", ended[0].id, "--decrypt")
    assert ran.code == 1
    assert "the key 'k1' is not here: here are k7" in ran.err
    assert desk.values("select count(*) from pgqueue.causes where error is not null") == [0]


def test_a_cause_tells_nothing_of_what_is_encrypted(ended: tuple[Any, Any], desk: Desk, start: StartThreaded) -> None:
    """Failures of one kind are one cause, though no two are encrypted alike."""
    for name in ("a", "b"):
        tasks.fail.enqueue(desk.conn, name)
    start(executor="thread", app=APP)
    wait_until(lambda: desk.values("select count(*) from pgqueue.dead_jobs") == [3], 20, "the ends")
    assert len(set(desk.values("select cause from pgqueue.dead_jobs"))) == 1


def test_a_job_is_run_again_and_edited_without_being_written_in_the_clear(
    pgqueue: Command, ended: tuple[Any, Any], desk: Desk
) -> None:
    failed = ended[1]
    assert pgqueue("jobs", "run-again", failed.id).code == 0
    (copy,) = desk.values("select id from pgqueue.jobs")
    assert library.decrypted(library.get_job(desk.conn, copy)).args == [PLANTED]
    assert pgqueue("jobs", "edit", copy, f'["{PLANTED}-2"]').code == 0
    assert library.decrypted(library.get_job(desk.conn, copy)).args == [f"{PLANTED}-2"]
    assert columns_with(desk.conn, PLANTED) == []
    encryption.encrypt_with(None)
    # A word of no other's: the tables hold the names of all tasks that tests of this process have imported, too.
    ran = pgqueue("jobs", "edit", copy, f'["{PLANTED}-3"]')
    assert ran.code != 0
    assert columns_with(desk.conn, PLANTED) == []


def test_keys_are_counted_and_rotated(pgqueue: Command, ended: tuple[Any, Any], key_file: KeyFile, desk: Desk) -> None:
    (before,) = pgqueue("keys", "status", "--json").json
    assert (before["key"], before["use"], before["exact"]) == ("k1", "writes", True)
    assert before["tables"]["attempts"] == 3
    ran = pgqueue("keys", "rotate")
    assert ran.code == 2
    assert "there is no key but k1" in ran.err
    encryption.encrypt_with(key_file("k2", "k1"))
    assert [row["use"] for row in pgqueue("keys", "status", "--json").json] == ["reads"]
    ran = pgqueue("keys", "rotate", "--reason", "yearly")
    assert ran.code == 0, ran.err
    assert f"{before['rows']} rows are encrypted with k2 now" in ran.out
    assert [(row["key"], row["rows"]) for row in pgqueue("keys", "status", "--json").json] == [("k2", before["rows"])]
    assert desk.values("select action from pgqueue.audit where reason = 'yearly'") == ["keys rotate to k2"]


def test_what_is_left_of_an_old_key_is_said(pgqueue: Command, desk: Desk, key_file: KeyFile) -> None:
    encryption.encrypt_with(key_file("k1"))
    tasks.charge.enqueue(desk.conn, PLANTED)
    desk.conn.execute("update pgqueue.jobs set worker = 1, claim = 1")
    encryption.encrypt_with(key_file("k2", "k1"))
    ran = pgqueue("keys", "rotate")
    assert ran.code == 1
    assert "1 rows are left with k1: jobs 1" in ran.err
    ran = pgqueue("keys", "rotate", "--after", "nonsense")
    assert ran.code == 2
    assert "--after takes a place" in ran.err


def test_no_page_shows_what_is_encrypted(ended: tuple[Any, Any], dsn: str) -> None:
    app = create_app(dsn=dsn)
    try:
        for job in ended:
            page = ask(app, f"/jobs/{job.id}").text
            assert "(encrypted, key k1)" in page
            assert "$codec" not in page
            assert PLANTED not in page
        assert "ValueError" in (dead := ask(app, "/dead").text)
        assert PLANTED not in dead
    finally:
        asyncio.run(app.aclose())
