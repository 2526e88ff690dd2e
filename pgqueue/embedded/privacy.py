"""Whether a folder is this user's alone: what others may write to, they can fill with links and sockets of theirs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pgqueue.errors import EmbeddedError

OTHERS_WRITE, OTHERS = 0o022, 0o077


def require_private(folder: Path, owner: int) -> None:
    """Raise EmbeddedError unless `folder` is `owner`'s, only `owner` may write there, and nobody may exchange it."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise EmbeddedError(f"{folder} is not a folder; name another, or one that does not exist yet")
    if found.st_uid != owner:
        raise EmbeddedError(f"{folder} belongs to another user (uid {found.st_uid}); name a folder of your own")
    if found.st_mode & OTHERS_WRITE:
        raise EmbeddedError(
            f"others may write to {folder} (mode {stat.S_IMODE(found.st_mode):04o}) and plant files there;"
            " `chmod go-w` it if all in it is yours, or name a folder that does not exist yet"
        )
    for above in folder.parents:
        mode = above.stat().st_mode
        # In a sticky folder, as /tmp, what is there stays its owner's.
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise EmbeddedError(f"anybody may exchange {folder}, since {above} is open to all; name a folder elsewhere")


def open_private(path: str, flags: int) -> int:
    """Open a file that is this user's alone, for open()'s `opener`; a link is not followed."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
