"""Where the unix socket of a server lies."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from pgqueue.embedded.privileges import Launch
from pgqueue.errors import EmbeddedError

# sun_path holds 104 bytes on macOS and 108 on Linux, one of them a final zero.
LONGEST = 103


def socket_folder(folder: Path, port: int, launch: Launch) -> Path:
    """Return the folder for the socket, created if need be: in `folder`, or a short one if that path is too long."""
    own = folder / "socket"
    if len(os.fsencode(own / f".s.PGSQL.{port}")) <= LONGEST:
        return _created(own, launch)
    shared = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()) / f"pgqueue-{os.geteuid()}"
    if not shared.exists():
        shared.mkdir(mode=0o700, exist_ok=True)
        launch.let_through(shared)
    _refuse_foreign(shared)
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return _created(shared / name, launch)


def _created(folder: Path, launch: Launch) -> Path:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return folder
    launch.hand_over(folder)
    return folder


def _refuse_foreign(folder: Path) -> None:
    """Others may write to /tmp: a folder or link that somebody else put there must not get our socket."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedError(f"{folder} is not a folder of this user alone; remove it")
