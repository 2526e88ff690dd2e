"""Names and passwords by HTTP's Basic authentication, for a dashboard behind TLS that has no other way in."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import TypeVar

from starlette.requests import Request

from pgqueue.dashboard.auth import Role, User
from pgqueue.dashboard.waits import MOST_OF_ONE, MOST_REMEMBERED, MOST_WAITING, delay, origin_of
from pgqueue.errors import UsageError

# 16 MB and about 50 ms a try.
_COST = {"n": 2**14, "r": 8, "p": 1}
K = TypeVar("K")
V = TypeVar("V")
# Tries at once: more wait, so that guessing takes neither all memory nor all processors.
AT_ONCE = 2


def hash_password(password: str, salt: bytes | None = None) -> str:
    """A password as Basic() keeps it: by scrypt, with a salt of its own."""
    salt = os.urandom(16) if salt is None else salt
    digest = hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST)
    return f"scrypt${salt.hex()}${digest.hex()}"


class Basic:
    """Users by name, each with a hash of hash_password(), or with a User and a hash."""

    challenge = 'Basic realm="pgqueue", charset="UTF-8"'

    def __init__(self, users: Mapping[str, str | tuple[User, str]], *, role: Role | str = Role.ADMIN) -> None:
        self._users = {name: _entry(name, said, role) for name, said in users.items()}
        # A name that nobody has takes as long as one that somebody has.
        self._nobody = hash_password(secrets.token_hex())
        self._key = os.urandom(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        # Each by origin and name: what one guesses delays nobody elsewhere who has that name.
        self._failures: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._tries = asyncio.Semaphore(AT_ONCE)
        # By origin.
        self._waiting: Counter[str] = Counter()

    async def __call__(self, request: Request) -> User | None:
        """The user whose name and password the request brings."""
        given = _given(request)
        if given is None:
            return None
        name, password = given
        user, said = self._users.get(name, (None, self._nobody))
        proof = hmac.digest(self._key, f"{name}\0{said}\0{password}".encode(), "sha256")
        if proof in self._right:
            return user
        origin = origin_of(request)
        guessing = origin, name
        if self._waiting[origin] >= MOST_OF_ONE or self._waiting.total() >= MOST_WAITING:
            return None
        self._waiting[origin] += 1
        try:
            await asyncio.sleep(delay(self._failures.get(guessing, 0)))
            async with self._tries:
                is_right = await asyncio.to_thread(_matches, password, said)
        finally:
            self._waiting[origin] -= 1
            if not self._waiting[origin]:
                del self._waiting[origin]
        if user is None or not is_right:
            _remember(self._failures, guessing, self._failures.get(guessing, 0) + 1)
            return None
        self._failures.pop(guessing, None)
        _remember(self._right, proof, None)
        return user


def _entry(name: str, said: str | tuple[User, str], role: Role | str) -> tuple[User, str]:
    user, digest = (User(name, role), said) if isinstance(said, str) else said
    parts = digest.split("$")
    if len(parts) != 3 or parts[0] != "scrypt" or not all(parts[1:]):
        raise UsageError(f"the password of {name} must be a hash: pgqueue.dashboard.hash_password(...)")
    return user, digest


def _given(request: Request) -> tuple[str, str] | None:
    values = request.headers.getlist("authorization")
    scheme, _, encoded = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon and len(password) <= 1_000 else None


def _matches(password: str, said: str) -> bool:
    salt = bytes.fromhex(said.split("$")[1])
    return hmac.compare_digest(hash_password(password, salt), said)


def _remember(known: OrderedDict[K, V], key: K, value: V) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
