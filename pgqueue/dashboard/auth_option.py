"""Who may look, as it is said to the command: a file of users, or a header of a proxy, whose users see all queues."""

from __future__ import annotations

from pathlib import Path

from pgqueue.dashboard.auth import Auth
from pgqueue.dashboard.basic import Basic
from pgqueue.dashboard.trusted_header import TrustedHeader
from pgqueue.dashboard.user_lines import users_of
from pgqueue.errors import UsageError

_SHAPES = "--auth reads basic:FILE, or header:NAME@NETWORK[,NETWORK]"


def auth_of(said: str) -> Auth:
    """From `basic:users.txt` or `header:X-Forwarded-User@10.0.0.0/8` to who may look. Raises UsageError."""
    kind, _, rest = said.partition(":")
    if kind == "basic" and rest:
        return Basic(dict(users_of(Path(rest), "user")))
    name, at, networks = rest.partition("@")
    if kind == "header" and name and at and networks:
        try:
            return TrustedHeader(name, proxies=networks.split(","), queues=None)
        except ValueError as error:
            raise UsageError(f"{_SHAPES}: {error}") from error
    raise UsageError(f"{_SHAPES}; got {said.partition(':')[0]!r:.40}")
