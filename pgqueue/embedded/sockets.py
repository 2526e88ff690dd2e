"""Where the unix socket of a server lies."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

from pgqueue.embedded.privacy import OTHERS
from pgqueue.embedded.privileges import Launch
from pgqueue.errors import EmbeddedError

# sun_path holds 104 bytes on macOS and 108 on Linux, one of them a final zero.
LONGEST = 103


def socket_folder(folder: Path, port: int) -> Path:
    """Return the folder for the socket: below `folder`, or a short one of this user if that path will not do."""
    own = folder / "socket"
    # libpq takes a comma for the end of a host.
    if len(os.fsencode(own / f".s.PGSQL.{port}")) <= LONGEST and "," not in str(own):
        return own
    # Not TMPDIR, which may be long itself and may differ between the processes that share the server.
    return Path("/tmp") / f"pgqueue-{os.geteuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"


def create(folder: Path, launch: Launch) -> None:
    """Create the socket's folder for this user alone; refuse one that somebody else put there."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        launch.hand_over(folder)
    require_ours(folder, launch)


def require_ours(folder: Path, launch: Launch) -> None:
    """Refuse a socket's folder that somebody else put there, or may enter: who connects there is trusted."""
    found = folder.lstat()
    owner = os.geteuid() if launch.owner is None else launch.owner
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & OTHERS:
        raise EmbeddedError(f"{folder} is not a folder of this user alone; remove it, or chmod it to 0700")


def remove(folder: Path, data_folder: Path) -> None:
    """Remove a socket's folder that lies outside the server's own."""
    if not folder.is_relative_to(data_folder):
        with contextlib.suppress(OSError):
            folder.rmdir()
