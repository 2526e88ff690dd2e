"""How PostgreSQL, which refuses to run as root, is run by root all the same."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pgqueue.errors import EmbeddedError

# The number of `nobody`: it exists everywhere without being created, and owns no files.
NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Launch:
    """The words put before a command of PostgreSQL, and who must own the folders that it writes to."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None

    def hand_over(self, folder: Path) -> None:
        """Give a folder that was just created to the user that PostgreSQL will run as."""
        if self.owner is not None:
            os.chown(folder, self.owner, self.owner)

    def can_enter(self, folder: Path) -> bool:
        """Whether the user that PostgreSQL will run as may pass every folder above `folder`."""
        if self.owner is None:
            return True
        above = [each for each in folder.parents if each.exists()]
        return all(each.stat().st_mode & 0o001 or each.stat().st_uid == self.owner for each in above)

    def let_through(self, folder: Path) -> None:
        """Let the user that PostgreSQL will run as pass a folder that was just created and stays ours."""
        if self.owner is not None:
            folder.chmod(0o711)


ORDINARY = Launch()
# Inside the namespace PostgreSQL sees another user, outside it stays root: no owner and no mode changes.
NAMESPACE = Launch(("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"))
SETPRIV = Launch(("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"), owner=NOBODY)


@functools.cache
def find_launch() -> Launch:
    """Return how this process must start PostgreSQL; raises EmbeddedError where there is no way."""
    if sys.platform not in ("linux", "darwin"):
        raise EmbeddedError(
            f"the embedded PostgreSQL runs on Linux and macOS, not on {sys.platform}; "
            "install PostgreSQL and give its DSN"
        )
    if os.geteuid() != 0:
        return ORDINARY
    for launch in (NAMESPACE, SETPRIV):
        if _works(launch):
            return launch
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and neither `unshare --user` nor `setpriv` works here; "
        "run this as an ordinary user"
    )


def _works(launch: Launch) -> bool:
    if shutil.which(launch.prefix[0]) is None:
        return False
    return subprocess.run([*launch.prefix, "true"], capture_output=True, timeout=30).returncode == 0
