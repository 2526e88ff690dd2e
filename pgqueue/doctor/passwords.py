"""Where the passwords of this process lie: its environment, and files that others on the machine may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pgqueue.doctor.patient import Patient
from pgqueue.doctor.verdict import Found, listed, ok, warn
from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.dsn import read
from pgqueue.store.passwords import holds_password, password_file, service_file


def passwords(patient: Patient) -> Found:
    """Passwords lie where nobody else reads them."""
    found = [*_in_environment(), *_in_files(patient.dsn)]
    if not found:
        return ok("no password lies where others read it")
    return warn(listed([text for text, _ in found]), found[0][1])


def _in_environment() -> Iterator[tuple[str, str]]:
    if os.environ.get("PGPASSWORD"):
        yield (
            "PGPASSWORD is set: whatever is started from here inherits it",
            "put it into ~/.pgpass (host:port:database:user:password, chmod 600), and unset PGPASSWORD",
        )


def _in_files(dsn: str) -> Iterator[tuple[str, str]]:
    try:
        given = read(dsn)
    except DatabaseUnreachable:
        given = {}
    if _open_to(stat.S_IRWXG | stat.S_IRWXO, path := password_file(given)):
        yield f"others may read the password file {path}; libpq therefore ignores it", f"chmod 600 {path}"
    if _open_to(stat.S_IRWXO, path := service_file()) and holds_password(path):
        yield f"others may read the passwords in the service file {path}", f"chmod 600 {path}"


def _open_to(whom: int, path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & whom)
