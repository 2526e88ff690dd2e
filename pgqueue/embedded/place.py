"""The folder of an embedded database, and the files in it by which processes share the server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pgqueue.embedded.cluster import make_private
from pgqueue.embedded.locks import is_locked
from pgqueue.embedded.privacy import open_private, require_private
from pgqueue.embedded.privileges import Launch, find_launch
from pgqueue.errors import EmbeddedError

SCHEME = "embedded:"


@dataclass(frozen=True, slots=True)
class Place:
    """Locks are taken in the order of their properties, `supervising` aside."""

    folder: Path

    @property
    def starting(self) -> Path:
        """Locked by who starts or stops the server."""
        return self.folder / "start.lock"

    @property
    def users(self) -> Path:
        """Locked by every user, shared; and by the supervisor alone, once there is no user left."""
        return self.folder / "users.lock"

    @property
    def supervisor(self) -> Path:
        """Locked by the supervisor while it lives; holds its pid."""
        return self.folder / "supervisor.lock"

    @property
    def keep(self) -> Path:
        """Exists while the server must go on without users."""
        return self.folder / "keep"

    @property
    def supervised(self) -> bool:
        return is_locked(self.supervisor)

    def create(self, launch: Launch) -> None:
        """Create the folder with mode 0700, unless it exists; refuse one that is not this user's alone."""
        if self.folder.exists() and not self.folder.is_dir():
            raise EmbeddedError(f"{self.folder} is a file, not a folder; name a folder for the database")
        try:
            make_private(self.folder, launch)
        except OSError as error:
            raise EmbeddedError(f"cannot keep a database in {self.folder}: {error.strerror}") from error
        self.require_private()

    def require_private(self) -> None:
        """Raise EmbeddedError if the folder exists and is not this user's alone."""
        if self.folder.exists():
            require_private(self.folder, os.geteuid())

    def keep_running(self) -> None:
        """Have the server go on without users."""
        try:
            os.close(open_private(str(self.keep), os.O_WRONLY | os.O_CREAT))
        except OSError as error:
            raise EmbeddedError(f"cannot write {self.keep}: {error.strerror}; remove it") from error


def is_embedded(dsn: str) -> bool:
    """Whether a DSN means the embedded PostgreSQL: `embedded:` or `embedded:./path`."""
    return dsn.startswith(SCHEME)


def folder_of(dsn: str) -> Path:
    """Return the folder that an `embedded:` DSN names; without a path that of this user."""
    if not is_embedded(dsn):
        # Another DSN may hold a password.
        raise EmbeddedError("the DSN must read 'embedded:' or 'embedded:./path', and this one begins otherwise")
    path = dsn.removeprefix(SCHEME)
    return Path(path).expanduser().resolve() if path else default_folder()


def default_folder() -> Path:
    """Return the folder of this user's database, in the XDG data folder."""
    named = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    above = Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"
    if not find_launch().can_enter(above):
        # Root without user namespaces, as in most containers: PostgreSQL runs as nobody, and /root is closed.
        above = Path("/var/lib")
    return (above / "pgqueue" / "postgres").resolve()
