"""Which databases are meant: those that were named, and those that a file names, which is read again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pgqueue.errors import DatabaseUnreachable, UsageError
from pgqueue.store.dsn import read

# A worker holds three connections and five threads for each.
MOST = 500


def read_file(path: Path) -> list[str]:
    """The DSNs that a file names, one a line; empty lines and those that begin with # say nothing.

    Raises UsageError, which shows nothing of a DSN.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"the file of DSNs {path} cannot be read: {reason}") from None
    dsns = []
    for number, line in enumerate(text.splitlines(), 1):
        if (dsn := line.strip()) and not dsn.startswith("#"):
            _check(dsn, f"line {number} of {path}")
            dsns.append(dsn)
    return check_all(dsns)


def check_all(dsns: Sequence[str]) -> list[str]:
    """These, each once. Raises UsageError for one of several that cannot be read, or if they are too many.

    A single one is left to who opens it: nobody need be told which.
    """
    once = list(dict.fromkeys(dsns))
    if len(once) > 1:
        for number, dsn in enumerate(once, 1):
            _check(dsn, f"DSN {number}")
    if len(once) > MOST:
        raise UsageError(
            f"a worker serves {MOST} databases at most, got {len(once)}; start another worker for the rest"
        )
    return once


def _check(dsn: str, which: str) -> None:
    if dsn.startswith("embedded:"):
        return
    try:
        read(dsn)
    except DatabaseUnreachable as error:
        raise UsageError(f"{which}: {error}") from None


class DsnFile:
    """A file of DSNs; changed() tells when it names others."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._mark: tuple[int, int, int] | None = None

    def changed(self) -> list[str] | None:
        """What it names, if it was written since the last call; None if it was not. Raises UsageError."""
        try:
            found = os.stat(self.path)
        except OSError as error:
            if self._mark == (0, 0, 0):
                return None
            self._mark = (0, 0, 0)
            raise UsageError(f"the file of DSNs {self.path} cannot be read: {error.strerror}") from None
        # A file that a link leads to, as Kubernetes mounts one, is another one after a change.
        mark = found.st_mtime_ns, found.st_ino, found.st_size
        if mark == self._mark:
            return None
        self._mark = mark
        return read_file(self.path)
