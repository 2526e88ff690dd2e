"""`pgqueue feed` and `pgqueue feeds`: what they print, and how they end."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from tests.feeding.conftest import SOURCES, TAKE, Command, Feeding, Trough
from tests.postgres import ROOT


def test_feed_says_what_it_did_and_that_it_was_finished_before(command: Command, trough: Trough) -> None:
    words = "feed", f"{SOURCES}:plain", "--to", TAKE
    first, second, third = command(*words), command(*words), command(*words, "--again", "--json")
    assert (first.code, first.out) == (0, f"feed {SOURCES}:plain/{TAKE} is finished: 25 items now, 25 in all\n")
    assert first.err == ""
    assert "was finished before: 25 items; --again starts it over" in second.out
    assert third.json == {
        "name": f"{SOURCES}:plain/{TAKE}",
        "items": 25,
        "fed": 25,
        "cursor": None,
        "already": False,
    }
    assert len(trough.numbers()) == 50


def test_an_iterator_that_breaks_is_shown_with_its_traceback(command: Command, trough: Trough) -> None:
    ran = command("feed", f"{SOURCES}:breaking", "--to", TAKE, "--name", "test")
    assert ran.code == 1
    assert "after 10 items: tests.feeding.sources:breaking raised LookupError: no page 10" in ran.err
    assert "in breaking" in ran.err
    assert "feeding/feed.py" not in ran.err


def test_what_cannot_be_fed_is_refused(command: Command) -> None:
    for words, said in (
        ((f"{SOURCES}:plian", "--to", TAKE), f"did you mean {SOURCES}:plain"),
        (("nosuch:plain", "--to", TAKE), "cannot import nosuch"),
        ((f"{SOURCES}:plain", "--to", f"{SOURCES}:tke"), f"did you mean {TAKE}"),
        ((f"{SOURCES}:plain", "--to", TAKE, "--name", ""), "name must be"),
    ):
        ran = command("feed", *words)
        assert (ran.code, said in ran.err) == (2, True), ran.err


def test_a_task_that_is_not_here_is_taken_as_it_is(command: Command, trough: Trough) -> None:
    ran = command(
        "feed", f"{SOURCES}:plain", "--to", "elsewhere.tasks:take", "--queue", "far", "--label", "a=b", "--cost", "5"
    )
    assert (ran.code, "there is no module elsewhere.tasks here" in ran.err) == (0, True), ran.err
    assert trough.conn.execute("select distinct target, queue, labels, cost from pgqueue.jobs").fetchall() == [
        ("elsewhere.tasks:take", "far", {"a": "b"}, 5)
    ]


def test_feeds_are_listed_shown_and_forgotten(command: Command, feeding: Feeding, trough: Trough) -> None:
    assert "Nothing has been fed" in command("feeds", "list").out
    feeding("numbers", buffer=40)
    trough.await_items("test", 40)
    (row,) = command("feeds", "list", "--json").json
    assert (row["name"], row["state"], row["items"], row["waiting"], row["cursor"]) == ("test", "feeding", 40, 40, 39)
    assert row["pid"] == os.getpid()
    shown = command("feeds", "show", "test").out
    assert "waiting   40 of 40" in shown
    assert f"process {os.getpid()}" in shown
    assert command("feeds", "remove", "test").code == 0
    assert command("feeds", "show", "test").code == command("feeds", "remove", "test").code == 4


def test_a_terminal_sees_a_bar(dsn: str, trough: Trough) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "pgqueue", "feed", f"{SOURCES}:slowly", "--to", TAKE, "--batch", "100"]
    env = os.environ | {"PGQUEUE_DSN": dsn, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, text=True, env=env, cwd=ROOT)
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:
        # So Linux says that nobody writes there any more.
        pass
    os.close(master)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"of 10,000 waiting" in seen
    assert "5,000 items now" in out
