"""The embedded database survives the death of each process around it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgqueue import embedded
from pgqueue.embedded import Server, pidfile
from pgqueue.embedded.place import Place
from pgqueue.errors import EmbeddedError
from tests.embedded.conftest import NewUser
from tests.embedded.test_sharing import stopped
from tests.waiting import wait_until


def kill_supervisor(folder: Path) -> None:
    place = Place(folder)
    os.kill(int(place.supervisor.read_text()), signal.SIGKILL)
    wait_until(lambda: not place.supervised, message="the supervisor is dead")


def alive(pid: int) -> bool:
    return pidfile.command_line(pid) != ""


def answers(dsn: str) -> bool:
    try:
        with psycopg.connect(dsn, connect_timeout=5) as conn:
            return conn.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


@pytest.fixture
def bystander() -> Iterator[int]:
    """The pid of a process that has nothing to do with PostgreSQL."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        assert process.poll() is None
        process.kill()


def test_kill_of_its_only_user_stops_the_server(new_user: NewUser, folder: Path) -> None:
    owner = new_user()
    postmaster = owner.saw
    owner.kill()
    stopped(folder)
    wait_until(lambda: not alive(postmaster), message="the postmaster has ended")


def test_kill_of_the_owner_does_not_disturb_others(new_user: NewUser, dsn: str, folder: Path) -> None:
    owner, other = new_user(), new_user()
    postmaster = owner.saw
    assert other.saw == postmaster
    owner.kill()
    with embedded.open(dsn):
        assert embedded.status(folder).pid == postmaster
    assert embedded.status(folder).pid == postmaster
    other.leave()
    stopped(folder)


def test_interrupt_of_the_owners_terminal_does_not_reach_the_server(dsn: str, new_user: NewUser) -> None:
    owner = new_user()
    postmaster = owner.saw
    with embedded.open(dsn) as database:
        groups = {os.getpgid(pid) for pid in (postmaster, int(Place(database.folder).supervisor.read_text()))}
        sessions = {os.getsid(postmaster)}
        assert os.getpgid(owner.process.pid) not in groups
        assert os.getsid(owner.process.pid) not in sessions


def test_kill_of_everybody_but_the_postmaster_lets_the_next_user_reuse_it(
    new_user: NewUser, dsn: str, folder: Path
) -> None:
    owner = new_user()
    postmaster = owner.saw
    kill_supervisor(folder)
    owner.kill()
    with embedded.open(dsn):
        assert embedded.status(folder).pid == postmaster
    stopped(folder)


def test_last_user_leaving_stops_a_server_whose_supervisor_was_killed(dsn: str, folder: Path) -> None:
    with embedded.open(dsn):
        kill_supervisor(folder)
    stopped(folder)


def test_killed_postmaster_comes_back_for_the_users_that_stayed(dsn: str, folder: Path) -> None:
    with embedded.open(dsn) as database:
        with psycopg.connect(database.dsn) as conn:
            conn.execute("create table kept as select 42 as answer")
        first = embedded.status(folder).pid
        assert first
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: embedded.status(folder).pid not in (None, first), message="it runs again")
        with psycopg.connect(database.dsn) as conn:
            assert conn.execute("select answer from kept").fetchone() == (42,)
    stopped(folder)


def test_kill_of_postmaster_and_supervisor_lets_the_next_user_start_anew(dsn: str, folder: Path) -> None:
    with embedded.open(dsn):
        kill_supervisor(folder)
        first = embedded.status(folder).pid
        assert first
        os.kill(first, signal.SIGKILL)
        with embedded.open(dsn) as database:
            assert answers(database.dsn)
    stopped(folder)


@pytest.mark.parametrize("kind", ["dead", "another process"])
def test_stale_pid_file_is_taken_over(kind: str, dsn: str, folder: Path, bystander: int) -> None:
    with embedded.open(dsn):
        left_over = (folder / "data" / "postmaster.pid").read_text().splitlines()
    stopped(folder)
    wait_until(lambda: not Place(folder).supervised, message="the supervisor has gone")
    number = pidfile.NO_PROCESS if kind == "dead" else bystander
    words = "\n".join([str(number), *left_over[1:]]) + "\n"
    (folder / "data" / "postmaster.pid").write_text(words)
    (folder / "socket" / ".s.PGSQL.5432.lock").write_text(words)
    assert not embedded.status(folder).running
    embedded.stop(folder)
    with embedded.open(dsn) as database:
        assert answers(database.dsn)


def test_start_waits_for_the_backends_of_a_killed_postmaster(private_server: Server) -> None:
    conn = psycopg.connect(private_server.dsn())
    backend = conn.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    private_server.kill()
    again = threading.Thread(target=private_server.start)
    again.start()
    try:
        again.join(0.7)
        assert again.is_alive()
        assert not private_server.ready
    finally:
        os.kill(backend, signal.SIGKILL)
        again.join(30)
        conn.close()
    assert answers(private_server.dsn())


def test_initdb_that_was_cut_off_leaves_nothing_in_the_way(dsn: str, unmade_folder: Path) -> None:
    half = unmade_folder / "initdb-cut"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    with embedded.open(dsn) as database:
        assert answers(database.dsn)
    assert not half.exists()


def test_server_whose_folder_was_removed_ends(dsn: str, folder: Path) -> None:
    with embedded.open(dsn):
        postmaster = embedded.status(folder).pid
        assert postmaster

        def removed() -> bool:
            # The dying server may write once more while its files are being removed.
            shutil.rmtree(folder, ignore_errors=True)
            return not folder.exists()

        wait_until(removed, message="the folder is gone")
        wait_until(lambda: not alive(postmaster), timeout=20, message="the postmaster has ended")


def test_server_that_cannot_start_says_why(dsn: str, folder: Path) -> None:
    with embedded.open(dsn):
        pass
    stopped(folder)
    wait_until(lambda: not Place(folder).supervised, message="the supervisor has gone")
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        embedded.open(dsn)
