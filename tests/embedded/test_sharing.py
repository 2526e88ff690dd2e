"""One server for all processes that use the same folder, for as long as one of them does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pgqueue import embedded
from tests.embedded.conftest import NewUser
from tests.waiting import wait_until


def stopped(folder: Path) -> None:
    wait_until(lambda: not embedded.status(folder).running, message="the server has stopped")


def test_six_racing_starters_make_and_share_one_server(new_user: NewUser, unmade_folder: Path) -> None:
    users = [new_user() for _ in range(6)]
    assert len({user.saw for user in users}) == 1
    for user in users:
        user.leave()
    stopped(unmade_folder)


def test_last_one_leaving_stops_the_server(new_user: NewUser, dsn: str, folder: Path) -> None:
    first, second = new_user(), new_user()
    assert first.saw == second.saw
    first.leave()
    with embedded.open(dsn) as database:
        second.leave()
        with psycopg.connect(database.dsn) as conn:
            conn.execute("select 1")
    stopped(folder)


def test_one_process_may_open_it_twice(dsn: str, folder: Path) -> None:
    with embedded.open(dsn) as outer:
        with embedded.open(dsn) as inner:
            assert inner.dsn == outer.dsn
        inner.close()
        with psycopg.connect(outer.dsn) as conn:
            conn.execute("select 1")
    stopped(folder)


def test_next_user_finds_what_the_last_one_committed(dsn: str, folder: Path) -> None:
    with embedded.open(dsn) as database, psycopg.connect(database.dsn) as conn:
        conn.execute("create table kept as select 42 as answer")
    stopped(folder)
    with embedded.open(dsn) as database, psycopg.connect(database.dsn) as conn:
        assert conn.execute("select answer from kept").fetchone() == (42,)


def test_user_that_comes_while_the_server_stops_gets_a_new_one(dsn: str) -> None:
    for _ in range(3):
        with embedded.open(dsn) as database, psycopg.connect(database.dsn) as conn:
            conn.execute("select 1")
        wait_until(lambda: not embedded.status(database.folder).running, message="it stops")


def test_kept_server_runs_without_users_until_stopped(dsn: str, folder: Path) -> None:
    started = embedded.start(folder)
    assert (started.running, started.kept) == (True, True)
    with embedded.open(dsn) as database:
        assert database.dsn == started.dsn
    # Longer than the supervisor takes to stop an unused server.
    with psycopg.connect(database.dsn) as conn:
        conn.execute("select pg_sleep(1)")
    assert embedded.status(folder) == started
    embedded.stop(folder)
    assert embedded.status(folder) == embedded.Status(folder, pid=None, dsn=None, kept=False)
    embedded.stop(folder)


def test_relative_folder_is_the_same_database(monkeypatch: pytest.MonkeyPatch, dsn: str, folder: Path) -> None:
    monkeypatch.chdir(folder.parent)
    relative = Path(folder.name)
    started = embedded.start(relative)
    with embedded.open(dsn) as database:
        assert database.dsn == started.dsn
    embedded.stop(relative)
    assert not embedded.status(folder).running


def test_stop_stops_it_under_its_users_who_can_open_it_again(dsn: str, folder: Path) -> None:
    with embedded.open(dsn):
        embedded.stop(folder)
        assert not embedded.status(folder).running
        with embedded.open(dsn) as again, psycopg.connect(again.dsn) as conn:
            conn.execute("select 1")


def test_commits_wait_for_the_disk(dsn: str) -> None:
    with embedded.open(dsn) as database, psycopg.connect(database.dsn) as conn:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert conn.execute(f"show {setting}").fetchone() == ("on",)


def test_started_child_of_a_user_is_no_user(dsn: str, folder: Path) -> None:
    with embedded.open(dsn):
        command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, close_fds=False)
    try:
        stopped(folder)
        assert child.poll() is None
    finally:
        child.communicate()


def test_forked_child_of_a_user_is_no_user(dsn: str, folder: Path) -> None:
    heard, said = os.pipe()
    with embedded.open(dsn):
        child = os.fork()
        if not child:
            os.close(said)
            os.read(heard, 1)
            os._exit(0)
    try:
        stopped(folder)
    finally:
        os.close(said)
        os.close(heard)
        os.waitpid(child, 0)


def test_user_gets_no_children_that_it_would_have_to_wait_for(dsn: str) -> None:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    before = children.read_text().split()
    with embedded.open(dsn):
        assert children.read_text().split() == before
