"""Another user of the machine reads nothing of an embedded database, and does not reach it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgqueue import embedded
from pgqueue.embedded import Server
from pgqueue.errors import EmbeddedError

# Of nobody here, and not the user as which root starts the server.
STRANGER = 54_321
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be a second user"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that all may look into, with a database made under a umask that hides nothing."""
    above = Path(tempfile.mkdtemp(prefix="pgqueue-", dir="/tmp"))
    above.chmod(0o755)
    folder = above / "db"
    folder.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        yield folder
    finally:
        os.umask(before)
        embedded.stop(folder)
        shutil.rmtree(above)


def as_a_stranger(look: Callable[[], object]) -> object:
    """What another user finds."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        # No way back into the test.
        code = 1
        try:
            os.setgroups([])
            os.setgid(STRANGER)
            os.setuid(STRANGER)
            os.write(tell, json.dumps(look()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(tell)
    with os.fdopen(told) as answer:
        found = json.loads(answer.read() or '"the stranger failed"')
    os.waitpid(child, 0)
    return found


def opened(folder: Path) -> list[str]:
    """What a user may read, or look into, of a folder."""
    return [str(each) for each in sorted(folder.iterdir()) if os.access(each, os.R_OK) or os.access(each, os.X_OK)]


def reached(address: str | tuple[str, int]) -> str:
    """What becomes of an attempt to connect."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as tried:
        try:
            tried.connect(address)
        except OSError as error:
            return type(error).__name__
    return "connected"


def test_a_second_user_reads_nothing_and_connects_nowhere(folder: Path) -> None:
    with embedded.open(f"embedded:{folder}") as database:
        embedded.start(folder)
        server = Server(folder)
        at = str(server.socket_dir / f".s.PGSQL.{server.port}")
        assert as_a_stranger(lambda: sorted(each.name for each in folder.iterdir())) == sorted(os.listdir(folder))
        assert len(os.listdir(folder)) > 3
        assert as_a_stranger(lambda: opened(folder)) == []
        assert as_a_stranger(lambda: reached(at)) == "PermissionError"
        assert as_a_stranger(lambda: reached(("127.0.0.1", server.port))) == "ConnectionRefusedError"
        # Not even where somebody opens the folder of the socket.
        server.socket_dir.chmod(0o755)
        assert as_a_stranger(lambda: reached(at)) == "PermissionError"
        server.socket_dir.chmod(0o700)
        with psycopg.connect(database.dsn) as conn:
            assert conn.execute("show unix_socket_permissions").fetchone() == ("0700",)


def test_a_socket_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    with embedded.open(f"embedded:{folder}"):
        server = Server(folder)
        server.socket_dir.chmod(0o755)
        with pytest.raises(EmbeddedError, match="chmod it to 0700"):
            embedded.open(f"embedded:{folder}")
        server.socket_dir.chmod(0o700)


@pytest.mark.parametrize("planted", ["server.log", "keep", "start.lock", "socket", "data"])
def test_what_a_second_user_planted_is_not_followed(folder: Path, planted: str) -> None:
    folder.chmod(0o777)
    victim = folder.parent / "victim"
    victim.write_text("mine\n")
    assert as_a_stranger(lambda: os.symlink(victim, folder / planted)) is None
    # As if it had been open to all for a moment.
    folder.chmod(0o700)
    with pytest.raises(EmbeddedError):
        embedded.start(folder)
    assert victim.read_text() == "mine\n"
    (folder / planted).unlink()
