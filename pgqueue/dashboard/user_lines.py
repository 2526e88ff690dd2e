"""Users of a file, a line each: their names, roles and hashes, and the queues that exist for them."""

from __future__ import annotations

from pathlib import Path

from pgqueue.dashboard.auth import User
from pgqueue.errors import UsageError


def users_of(path: Path, kind: str) -> list[tuple[str, tuple[User, str]]]:
    """Users of NAME:ROLE:HASH[:QUEUE,QUEUE[:SCOPE,SCOPE[:TENANT]]]; lines with # say nothing.

    `kind` is what each is: a user, or a token. Raises UsageError.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the {kind}s cannot be read: {error}") from error
    found: dict[str, tuple[User, str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.strip().split(":")
        if len(parts) not in (3, 4, 5, 6):
            raise UsageError(
                f"line {number} of {path} reads NAME:ROLE:HASH; `pgqueue dashboard --new-{kind}` makes one"
            )
        if len(parts) == 4 and not parts[3]:
            raise UsageError(f"line {number} of {path} ends where queues should stand; without the last : it is all")
        if parts[0] in found:
            raise UsageError(f"line {number} of {path} names {parts[0]} again")
        queues = parts[3].split(",") if len(parts) > 3 and parts[3] else None
        scopes = parts[4].split(",") if len(parts) > 4 and parts[4] else ()
        tenant = parts[5] if len(parts) > 5 else None
        found[parts[0]] = (User(parts[0], parts[1], queues, scopes, tenant=tenant), parts[2])
    if not found:
        raise UsageError(f"{path} names no {kind}; `pgqueue dashboard --new-{kind} NAME` makes a line")
    return list(found.items())
