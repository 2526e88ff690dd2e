"""Who may look, as it is said to the command: a file of users, or a header of a proxy."""

from __future__ import annotations

from pathlib import Path

from pgqueue.dashboard.auth import Auth, User
from pgqueue.dashboard.basic import Basic
from pgqueue.dashboard.trusted_header import TrustedHeader
from pgqueue.errors import UsageError

_SHAPES = "--auth reads basic:FILE, or header:NAME@NETWORK[,NETWORK]"


def auth_of(said: str) -> Auth:
    """From `basic:users.txt` or `header:X-Forwarded-User@10.0.0.0/8` to who may look. Raises UsageError."""
    kind, _, rest = said.partition(":")
    if kind == "basic" and rest:
        return Basic(dict(_users(Path(rest))))
    name, at, networks = rest.partition("@")
    if kind == "header" and name and at and networks:
        try:
            return TrustedHeader(name, proxies=networks.split(","))
        except ValueError as error:
            raise UsageError(f"{_SHAPES}: {error}") from error
    raise UsageError(f"{_SHAPES}; got {said.partition(':')[0]!r:.40}")


def _users(path: Path) -> list[tuple[str, tuple[User, str]]]:
    """Users of a file, a line each: NAME:ROLE:HASH, or NAME:ROLE:HASH:QUEUE,QUEUE; lines with # say nothing."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the users cannot be read: {error}") from error
    users = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.strip().split(":")
        if len(parts) not in (3, 4):
            raise UsageError(f"line {number} of {path} reads NAME:ROLE:HASH; `pgqueue dashboard --new-user` makes one")
        queues = parts[3].split(",") if len(parts) == 4 else None
        users.append((parts[0], (User(parts[0], parts[1], queues), parts[2])))
    if not users:
        raise UsageError(f"{path} names no user; `pgqueue dashboard --new-user NAME` makes a line")
    return users
