"""One PostgreSQL server of our own: its folder, its start and its end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Literal

from pgqueue.embedded import pidfile, sockets
from pgqueue.embedded.binaries import find_binaries
from pgqueue.embedded.privacy import open_private
from pgqueue.embedded.privileges import Launch, find_launch
from pgqueue.errors import EmbeddedError

StopMode = Literal["smart", "fast", "immediate"]
SIGNALS: Mapping[StopMode, str] = {"smart": "SIGTERM", "fast": "SIGINT", "immediate": "SIGQUIT"}
LOG_LIMIT = 16 * 1024 * 1024
# PostgreSQL says this while a backend of a killed postmaster still lives; it ends by itself.
LINGERING = "is still in use"


class Server:
    """A PostgreSQL server in `folder`, of which everything is created below that folder.

    `settings` are server settings given at each start and win over the configuration files. `host` is the
    address to listen on by TCP; None means only the unix socket. Methods raise EmbeddedError.
    """

    def __init__(
        self,
        folder: Path,
        *,
        bin_dir: Path | None = None,
        host: str | None = None,
        port: int = 5432,
        settings: Mapping[str, str] | None = None,
        launch: Launch | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.logfile = self.folder / "server.log"
        self.host = host
        self.port = port
        self.settings = dict(settings or {})
        self.launch = launch or find_launch()
        self._bin_dir = bin_dir
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    @property
    def pid(self) -> int | None:
        """The process id of the running postmaster, None if it does not run; other processes' servers count."""
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        self._process = None
        return pidfile.postmaster_of(self.data)

    @property
    def ready(self) -> bool:
        """Whether the server accepts connections."""
        running = pidfile.read(self.data)
        return running is not None and running.ready and self.pid == running.pid

    @property
    def bin_dir(self) -> Path:
        """The folder of the programs; an existing cluster needs those of its own version."""
        if not self.initialised:
            return find_binaries(self._bin_dir)
        return find_binaries(self._bin_dir, major=int((self.data / "PG_VERSION").read_text()))

    @property
    def socket_dir(self) -> Path:
        """The folder of the unix socket; of a running server the one that it was started with."""
        if (running := pidfile.read(self.data)) and running.socket_dir and self.pid == running.pid:
            return running.socket_dir
        return sockets.socket_folder(self.folder, self.port)

    def dsn(self, dbname: str = "postgres", *, tcp: bool = False) -> str:
        """Return the libpq connection string of a database, by unix socket or by TCP."""
        if tcp and self.host is None:
            raise EmbeddedError(f"the server in {self.folder} listens on no TCP address; give it a host")
        host = self.host if tcp else str(self.socket_dir)
        words = {"host": host, "port": self.port, "user": "postgres", "dbname": dbname}
        return " ".join(f"{name}={_quoted(str(value))}" for name, value in words.items())

    def initdb(self, *, sync: bool = True, wal_segment_mb: int = 16) -> None:
        """Create the cluster, unless it exists. Killed halfway it leaves nothing that looks like one."""
        self._require_own_data()
        if self.initialised:
            return
        if not self.launch.can_enter(self.folder):
            raise EmbeddedError(
                f"PostgreSQL refuses to run as root, and as `nobody` it may not enter {self.folder.parent}; "
                "name a folder that every user may enter"
            )
        make_private(self.folder, self.launch)
        for left_over in self.folder.glob("initdb-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # Never the same name again: an initdb whose caller was killed goes on writing.
        fresh = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.folder))
        self.launch.hand_over(fresh)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        options += [f"--wal-segsize={wal_segment_mb}", *([] if sync else ["--no-sync"])]
        command: list[str | Path] = [*self.launch.prefix, self.bin_dir / "initdb", f"--pgdata={fresh}", *options]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment(), cwd="/")
        if done.returncode != 0:
            raise EmbeddedError(f"initdb failed in {self.folder}: {(done.stderr or done.stdout).strip()}")
        fresh.rename(self.data)

    def start(self, timeout: float = 120.0) -> None:
        """Start the server and return when it accepts connections; does nothing if it runs already."""
        self._require_own_data()
        deadline = time.monotonic() + timeout
        launched = False
        while not self.ready:
            if not self.initialised:
                raise EmbeddedError(f"there is no cluster in {self.folder}; call initdb() first, or it was removed")
            if self.pid is None:
                if launched:
                    self._judge_failed_start()
                self._launch_postmaster()
                launched = True
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL in {self.folder} was not ready in {timeout:g} s\n{self.log_tail()}")
            time.sleep(0.01)

    def stop(self, mode: StopMode = "fast", timeout: float = 30.0) -> None:
        """Stop the server and return when it has ended; past `timeout` it is stopped as `immediate`, then killed."""
        socket_dir = self.socket_dir
        for number in (signal.Signals[SIGNALS[mode]], signal.SIGQUIT, signal.SIGKILL):
            self._signal(number)
            if self._wait_for_end(timeout):
                sockets.remove(socket_dir, self.folder)
                return
        raise EmbeddedError(f"PostgreSQL in {self.folder} (pid {self.pid}) does not end; even SIGKILL did not help")

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, as an accident would."""
        self._signal(signal.SIGKILL)
        self._wait_for_end(30.0)

    def restart(self, mode: StopMode = "fast") -> None:
        self.stop(mode)
        self.start()

    def open_log(self) -> BinaryIO:
        """Open the log for writing at its end; one that has grown long is set aside first."""
        if self.logfile.exists() and self.logfile.stat().st_size > LOG_LIMIT:
            self.logfile.replace(self.logfile.with_suffix(".log.1"))
        try:
            return open(self.logfile, "ab", opener=open_private)
        except OSError as error:
            raise EmbeddedError(f"cannot write the log {self.logfile}: {error.strerror}; remove it") from error

    def log_tail(self, lines: int = 15) -> str:
        """Return the end of what the server wrote."""
        if not self.logfile.exists():
            return "(it has written no log)"
        return "\n".join(self.logfile.read_text(errors="replace").splitlines()[-lines:])

    def _require_own_data(self) -> None:
        # A folder, or a link to one, that somebody put there while the place was open to them.
        try:
            owner = self.data.lstat().st_uid
        except OSError:
            return
        if owner not in (os.geteuid(), self.launch.owner):
            raise EmbeddedError(f"{self.data} belongs to another user (uid {owner}); remove it")

    def _launch_postmaster(self) -> None:
        pidfile.disown_stale(self.data)
        sockets.create(self.socket_dir, self.launch)
        # Nobody serves this folder, but the number in a left-over lock may belong to another process by now.
        (self.socket_dir / f".s.PGSQL.{self.port}.lock").unlink(missing_ok=True)
        settings = {
            "listen_addresses": self.host or "",
            "port": str(self.port),
            # Whoever can connect is trusted: its user alone, whatever becomes of the folder's mode.
            "unix_socket_permissions": "0700",
            "unix_socket_directories": '"' + str(self.socket_dir).replace('"', '""') + '"',
            **self.settings,
        }
        command: list[str | Path] = [*self.launch.prefix, self.bin_dir / "postgres", "-D", self.data]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.open_log() as log:
            # Its own session: a terminal's Ctrl-C must not reach the server.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment(),
                cwd="/",
            )

    def _judge_failed_start(self) -> None:
        tail = self.log_tail()
        if LINGERING not in tail:
            raise EmbeddedError(f"PostgreSQL in {self.folder} does not start\n{tail}")
        time.sleep(0.1)

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            os.kill(pid, number)

    def _wait_for_end(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.pid is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


def make_private(folder: Path, launch: Launch) -> None:
    """Create a folder for this user alone; one that exists is left as it is."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        launch.let_through(folder)


def _environment() -> dict[str, str]:
    # PG* variables steer the programs, and messages are read here: both must be ours.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _quoted(value: str) -> str:
    if re.fullmatch(r"[^\s'\\]+", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
