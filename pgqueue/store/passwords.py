"""Passwords that a connection may have been made with: of its DSN, the environment, the password file, a service."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pgqueue.store.dsn import SECRETS

# So much of a file is looked at.
_MOST = 1 << 20
# Letters: what a file has for another server is not looked for in every word.
_SHORTEST = 4


def passwords_of(given: Mapping[str, Any]) -> set[str]:
    """Those that the parameters name, and those that libpq may have found where they name none. Reads files."""
    found = {str(given[name]) for name in SECRETS if given.get(name)}
    if named := os.environ.get("PGPASSWORD"):
        found.add(named)
    for path, passwords in ((password_file(given), _of_password_file), (service_file(), _of_service_file)):
        found.update(each for each in passwords(_text(path)) if len(each) >= _SHORTEST)
    return found


def password_file(given: Mapping[str, Any]) -> Path:
    """Where libpq looks for the password of a connection with these parameters."""
    return Path(given.get("passfile") or os.environ.get("PGPASSFILE") or "~/.pgpass").expanduser()


def service_file() -> Path:
    """Where libpq looks for services."""
    return Path(os.environ.get("PGSERVICEFILE") or "~/.pg_service.conf").expanduser()


def holds_password(path: Path) -> bool:
    """Whether a service file has a password."""
    return any(_of_service_file(_text(path)))


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST)
    except OSError:
        return ""


def _of_password_file(text: str) -> Iterator[str]:
    for line in text.splitlines():
        # Behind four colons; a colon of its own has a backslash in front.
        if not line.startswith("#") and (found := re.fullmatch(r"(?:(?:\\.|[^\\:])*:){4}(.*)", line)):
            yield re.sub(r"\\(.)", r"\1", found[1])


def _of_service_file(text: str) -> Iterator[str]:
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() in SECRETS and value.strip():
            yield value.strip()
