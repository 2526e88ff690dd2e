"""The embedded database as its users see it: opened, closed, kept running, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from pgqueue.embedded import sockets
from pgqueue.embedded.cluster import Server
from pgqueue.embedded.locks import lock
from pgqueue.embedded.place import Place, default_folder, folder_of
from pgqueue.embedded.privileges import find_launch
from pgqueue.errors import EmbeddedError

# The first start runs initdb, and a start after an accident reads the write-ahead log.
START_TIMEOUT = 120.0
# How many are started before it is PostgreSQL that is to blame.
SUPERVISORS = 3


class Database:
    """A running embedded database. While it is open this process counts as one of its users."""

    def __init__(self, server: Server, place: Place, using: TextIO) -> None:
        self.dsn = server.dsn()
        self.place = place
        self._server, self._using = server, using

    @property
    def folder(self) -> Path:
        return self.place.folder

    def close(self) -> None:
        """Leave the database; the server stops soon after its last user left. May be called twice."""
        if self._using.closed:
            return
        # The supervisor may have been killed, and without one nobody would stop the server.
        if not self.place.supervised and self._server.pid is not None:
            spawn_supervisor(self.place, self._server)
        self._using.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Status:
    """What there is in the folder of an embedded database; `pid` and `dsn` are None when it is stopped."""

    folder: Path
    pid: int | None
    dsn: str | None
    kept: bool

    @property
    def running(self) -> bool:
        return self.pid is not None


def open_database(dsn: str, *, bin_dir: Path | None = None) -> Database:
    """Open the database that an `embedded:` DSN names; it is created and started if need be.

    Blocks until the server accepts connections. Raises EmbeddedError with the end of its log if it does not.
    """
    return _join(folder_of(dsn), bin_dir)


def start(folder: Path | None = None, *, bin_dir: Path | None = None) -> Status:
    """Start the server, and keep it running without users until `stop`."""
    with _join(folder or default_folder(), bin_dir) as database:
        database.place.keep_running()
        return status(database.folder)


def stop(folder: Path | None = None) -> None:
    """Stop the server now, whoever uses it; does nothing if it does not run."""
    server = Server(folder or default_folder())
    place = Place(server.folder)
    place.require_private()
    if not server.initialised:
        return
    with lock(place.starting, timeout=START_TIMEOUT):
        place.keep.unlink(missing_ok=True)
        _dismiss_supervisor(place)
        server.stop()


def status(folder: Path | None = None) -> Status:
    """Return whether the server runs, and its DSN."""
    server = Server(folder or default_folder())
    place = Place(server.folder)
    place.require_private()
    ready = server.ready
    kept = place.keep.exists()
    return Status(server.folder, server.pid if ready else None, server.dsn() if ready else None, kept)


def spawn_supervisor(place: Place, server: Server) -> None:
    """Start the process that starts the server, watches over it and stops it when it is unused."""
    command = [sys.executable, "-P", "-m", "pgqueue.embedded.supervisor", str(place.folder), str(server.bin_dir)]
    home = str(Path(__file__).parents[2])
    paths = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    with server.open_log() as log:
        # It forks at once, so that our caller gets no child that it would have to wait for.
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": paths},
            cwd="/",
        )
    if done.returncode != 0:
        raise EmbeddedError(f"the supervisor of {place.folder} does not start\n{server.log_tail()}")


def _join(folder: Path, bin_dir: Path | None) -> Database:
    place = Place(folder.resolve())
    place.create(find_launch())
    server = Server(place.folder, bin_dir=bin_dir)
    with lock(place.starting, timeout=START_TIMEOUT):
        # A supervisor that is just stopping the server keeps us waiting here.
        using = lock(place.users, shared=True, timeout=START_TIMEOUT)
        try:
            server.initdb()
            _wait_until_ready(place, server)
            # It may have run for long: that its socket is still in a folder of ours is looked at now.
            sockets.require_ours(server.socket_dir, server.launch)
        except BaseException:
            using.close()
            raise
        return Database(server, place, using)


def _wait_until_ready(place: Place, server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    supervisors = 0
    while not (server.ready and place.supervised):
        if not place.supervised:
            # One ends by itself if PostgreSQL does not start; but it may also have been killed.
            if supervisors == SUPERVISORS:
                raise EmbeddedError(f"PostgreSQL in {place.folder} does not start\n{server.log_tail()}")
            spawn_supervisor(place, server)
            supervisors += 1
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"PostgreSQL in {place.folder} was not ready in {START_TIMEOUT:g} s\n{server.log_tail()}"
            )
        time.sleep(0.01)


def _dismiss_supervisor(place: Place) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while place.supervised:
        # Who holds the lock wrote its pid there, though it may be just about to.
        if pid := place.supervisor.read_text().strip():
            os.kill(int(pid), signal.SIGTERM)
        if time.monotonic() > deadline:
            raise EmbeddedError(f"the supervisor of {place.folder} (pid {pid}) does not end")
        time.sleep(0.05)
