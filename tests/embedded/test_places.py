"""Where an embedded database lies, and whose it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue import embedded
from pgqueue.embedded import Server, pidfile, place, privileges, sockets
from pgqueue.embedded.privileges import NAMESPACE, NOBODY, ORDINARY, SETPRIV, Launch
from pgqueue.errors import EmbeddedError
from tests.embedded.test_sharing import stopped

WAYS_TO_LAUNCH = [NAMESPACE, SETPRIV] if os.geteuid() == 0 else [ORDINARY]


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


def test_dsn_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert embedded.folder_of("embedded:./dev") == tmp_path / "dev"
    assert embedded.folder_of("embedded:/srv/dev") == Path("/srv/dev")
    assert embedded.folder_of("embedded:~/dev") == tmp_path / "home" / "dev"
    assert embedded.folder_of("embedded:") == tmp_path / "data" / "pgqueue" / "postgres"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert embedded.folder_of("embedded:") == tmp_path / "home/.local/share/pgqueue/postgres"


def test_only_the_embedded_scheme_is_embedded() -> None:
    assert embedded.is_embedded("embedded:")
    assert not embedded.is_embedded("postgresql://host/embedded:")
    with pytest.raises(EmbeddedError, match="must read 'embedded:' or"):
        embedded.open("host=db")


def test_what_is_created_is_for_its_user_alone(unmade_folder: Path) -> None:
    with embedded.open(f"embedded:{unmade_folder}"):
        for created in (unmade_folder, unmade_folder / "data", unmade_folder / "socket"):
            assert mode(created) == 0o700
        assert mode(unmade_folder / "server.log") == 0o600


def test_folder_that_existed_keeps_its_mode_and_owner(unmade_folder: Path) -> None:
    unmade_folder.mkdir()
    unmade_folder.chmod(0o755)
    above = [unmade_folder, *unmade_folder.parents]
    before = [(each.stat().st_mode, each.stat().st_uid, each.stat().st_gid) for each in above]
    with embedded.open(f"embedded:{unmade_folder}"):
        pass
    stopped(unmade_folder)
    assert [(each.stat().st_mode, each.stat().st_uid, each.stat().st_gid) for each in above] == before
    assert mode(unmade_folder / "data") == 0o700


@pytest.mark.parametrize("launch", WAYS_TO_LAUNCH, ids=lambda launch: launch.prefix[:1] or "ordinary")
def test_every_way_to_launch_works_and_the_server_is_never_root(unmade_folder: Path, launch: Launch) -> None:
    server = Server(unmade_folder, launch=launch)
    server.initdb(sync=False)
    server.start()
    try:
        with psycopg.connect(server.dsn()) as conn:
            (directory,) = conn.execute("show data_directory").fetchone() or ("",)
        assert directory == str(unmade_folder / "data")
        if launch == SETPRIV:
            assert (unmade_folder / "data").stat().st_uid == launch.owner
    finally:
        server.stop("immediate")


def test_folder_that_nobody_may_not_enter_is_refused_and_not_opened_up(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=f"as `nobody` it may not enter {closed}; name a folder"):
        Server(closed / "database", launch=SETPRIV).initdb()
    assert mode(closed) == 0o700
    assert list(closed.iterdir()) == []


def test_root_in_a_container_gets_a_folder_that_nobody_may_enter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(place, "find_launch", lambda: SETPRIV)
    assert embedded.default_folder() == Path("/var/lib/pgqueue/postgres")


def test_root_without_any_way_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match=r"refuses to run as root.*run this as an ordinary user"):
        privileges.find_launch.__wrapped__()


def test_other_systems_are_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(EmbeddedError, match="runs on Linux and macOS, not on win32"):
        privileges.find_launch.__wrapped__()


def test_path_too_long_for_a_socket_gets_a_short_one(unmade_folder: Path) -> None:
    deep = unmade_folder / ("long" * 20) / ("long" * 20)
    with embedded.open(f"embedded:{deep}") as database:
        with psycopg.connect(database.dsn) as conn:
            conn.execute("select 1")
        short = Server(deep).socket_dir
        assert (short.parent, mode(short)) == (Path("/tmp"), 0o700)
    stopped(deep)
    embedded.stop(deep)
    assert not short.exists()


def test_folder_with_spaces_and_quotes_works(unmade_folder: Path) -> None:
    odd = unmade_folder / 'it\'s a "unmade_folder", with\\signs'
    with embedded.open(f"embedded:{odd}") as database, psycopg.connect(database.dsn) as conn:
        conn.execute("select 1")
    embedded.stop(odd)


def test_socket_folder_put_there_by_somebody_else_is_refused(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path)
    for squatted in (open_to_all, tmp_path / "link"):
        with pytest.raises(EmbeddedError, match="not a folder of this user alone"):
            sockets.create(squatted, ORDINARY)


def test_folder_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch, unmade_folder: Path) -> None:
    unmade_folder.mkdir()
    me = os.geteuid()
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: me + 1)
        with pytest.raises(EmbeddedError, match=rf"{unmade_folder} belongs to another user \(uid {me}\)"):
            embedded.open(f"embedded:{unmade_folder}")


def test_processes_are_known_alike_with_and_without_proc() -> None:
    assert pidfile.told_by_ps(os.getpid()).split() == pidfile.command_line(os.getpid()).split()
    assert pidfile.told_by_ps(pidfile.NO_PROCESS) == pidfile.command_line(pidfile.NO_PROCESS) == ""


def test_a_folder_that_others_may_write_to_is_refused_whatever_is_planted_there(
    unmade_folder: Path, tmp_path: Path
) -> None:
    unmade_folder.mkdir()
    unmade_folder.chmod(0o777)
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    # Who runs this as root has a second user at hand.
    other: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    for planted in ("server.log", "keep", "start.lock", "socket"):
        subprocess.run(["ln", "-s", str(victim), str(unmade_folder / planted)], check=True, **other)
    for use in (lambda: embedded.open(f"embedded:{unmade_folder}"), lambda: embedded.start(unmade_folder)):
        with pytest.raises(EmbeddedError, match=r"others may write to .* \(mode 0777\).*chmod go-w"):
            use()
    for look in (embedded.stop, embedded.status):
        with pytest.raises(EmbeddedError, match="others may write to"):
            look(unmade_folder)
    assert victim.read_text() == "mine\n"
    unmade_folder.chmod(0o700)


def test_a_folder_that_anybody_may_exchange_is_refused(unmade_folder: Path) -> None:
    unmade_folder.mkdir()
    unmade_folder.chmod(0o777)
    with pytest.raises(EmbeddedError, match=f"since {unmade_folder} is open to all"):
        embedded.open(f"embedded:{unmade_folder}/database")
    unmade_folder.chmod(0o700)


@pytest.mark.parametrize("planted", ["server.log", "keep"])
def test_nothing_follows_a_link(unmade_folder: Path, tmp_path: Path, planted: str) -> None:
    unmade_folder.mkdir(mode=0o700)
    victim = tmp_path / "victim"
    (unmade_folder / planted).symlink_to(victim)
    try:
        with pytest.raises(EmbeddedError, match=r"cannot write .*symbolic links; remove it"):
            embedded.start(unmade_folder)
    finally:
        (unmade_folder / planted).unlink()
        embedded.stop(unmade_folder)
    assert not victim.exists()


def test_a_socket_folder_that_was_exchanged_is_not_used(unmade_folder: Path) -> None:
    with embedded.open(f"embedded:{unmade_folder}"):
        socket_dir = Server(unmade_folder).socket_dir
        socket_dir.rename(unmade_folder / "away")
        socket_dir.mkdir()
        socket_dir.chmod(0o777)
        with pytest.raises(EmbeddedError, match="is not a folder of this user alone"):
            embedded.open(f"embedded:{unmade_folder}")
        socket_dir.rmdir()
        (unmade_folder / "away").rename(socket_dir)


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="is a file, not a folder; name a folder"):
        embedded.open(f"embedded:{tmp_path}/file")
