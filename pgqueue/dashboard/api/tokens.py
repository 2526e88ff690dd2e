"""Who may ask: programs that show a token, of which the hash alone is kept."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from starlette.requests import Request

from pgqueue.dashboard.api.problems import Problem
from pgqueue.dashboard.auth import Role, User
from pgqueue.dashboard.user_lines import users_of
from pgqueue.dashboard.waits import MOST_REMEMBERED, MOST_WAITING, delay
from pgqueue.errors import UsageError

PREFIX = "pgq_"
# As the audit names who came by this door.
VIA = "api"
# Of 64 letters each: nobody guesses that, and nobody types it.
LETTERS, SHORTEST = 43, 32
_HASH = re.compile(r"sha256\$[0-9a-f]{64}")
CHALLENGE = {"www-authenticate": 'Bearer realm="pgqueue"'}
CURE = "send `Authorization: Bearer TOKEN`; `pgqueue dashboard --new-token NAME` makes one"


def new_token() -> str:
    """A token that nobody has: 256 bits by chance."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """A token as Tokens() keeps it. It is long and made by chance, so one round of SHA-256 is enough.

    Raises UsageError for one that could be guessed.
    """
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"a token has at least {SHORTEST} letters, made by chance: pgqueue.dashboard.new_token()")
    return f"sha256${hashlib.sha256(token.encode()).hexdigest()}"


class Tokens:
    """Tokens by name, each as a hash of hash_token(), or with the User that it stands for and a hash.

    They come in `Authorization: Bearer` alone, never in a cookie or an address: no page of the web can send one for
    somebody. Wrong ones are answered later and later.
    """

    def __init__(self, tokens: Mapping[str, str | tuple[User, str]], *, role: Role | str = Role.VIEWER) -> None:
        self._users: dict[str, User] = {}
        for name, said in tokens.items():
            user, digest = (User(name, role), said) if isinstance(said, str) else said
            if not _HASH.fullmatch(digest):
                raise UsageError(f"the token of {name} must be a hash: pgqueue.dashboard.hash_token(...)")
            if digest in self._users:
                raise UsageError(f"{name} has the token of {self._users[digest].name}; each has its own")
            self._users[digest] = replace(user, via=VIA)
        self._failures: OrderedDict[str, int] = OrderedDict()
        self._waiting = 0

    @classmethod
    def of_file(cls, path: Path | str) -> Tokens:
        """Tokens of a file, a line each: NAME:ROLE:HASH, or NAME:ROLE:HASH:QUEUE,QUEUE. Raises UsageError."""
        return cls(dict(users_of(Path(path), "token")))

    async def user_of(self, request: Request) -> User:
        """The user whose token the request brings. Raises Problem."""
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != "bearer":
            raise Problem(401, "this is asked with a token alone, and the request brings none", CURE, CHALLENGE)
        # Its hash says nothing of how near a wrong one came.
        user = self._users.get(f"sha256${hashlib.sha256(token.strip().encode()).hexdigest()}")
        if user is None:
            await self._slow_down(request)
            raise Problem(401, "nobody has this token", CURE, {"www-authenticate": _INVALID})
        return user

    async def _slow_down(self, request: Request) -> None:
        """Wait, longer after each wrong token from the same address; who has a right one never does."""
        host = request.client.host if request.client else ""
        failures = self._failures.get(host, 0)
        self._failures[host] = failures + 1
        self._failures.move_to_end(host)
        while len(self._failures) > MOST_REMEMBERED:
            self._failures.popitem(last=False)
        if self._waiting >= MOST_WAITING:
            raise Problem(429, "too many wrong tokens are tried at once", "wait a minute", {"retry-after": "60"})
        self._waiting += 1
        try:
            await asyncio.sleep(delay(failures))
        finally:
            self._waiting -= 1


_INVALID = 'Bearer realm="pgqueue", error="invalid_token"'
