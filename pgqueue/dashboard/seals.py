"""Marks that this dashboard alone can make, for one user and some hours: in forms, and on what it says after an act.

A token is the HMAC of user and hour. Several processes that answer for one dashboard need one secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import time
from collections.abc import Callable

from pgqueue.dashboard.auth import User
from pgqueue.errors import UsageError

HOUR = 3600
# A page may stand open for so long before its buttons need it to be loaded again.
HOURS = 12
SHORTEST_SECRET = 16


class Seals:
    """Makes marks, and knows them again."""

    def __init__(self, secret: str | None = None, now: Callable[[], float] = time.time) -> None:
        if secret is not None and len(secret) < SHORTEST_SECRET:
            raise UsageError(f"a secret has {SHORTEST_SECRET} characters at least, got {len(secret)}")
        self._key = os.urandom(32) if secret is None else secret.encode()
        self._now = now

    def token(self, user: User) -> str:
        """What the forms of a user hold."""
        return self._made("form", user, self._hour, "")

    def is_token(self, user: User, token: str) -> bool:
        """Whether a form is one that this user was given lately."""
        return any(self._is(token, "form", user, self._hour - back, "") for back in range(HOURS + 1))

    def sealed(self, user: User, text: str) -> str:
        """A text for an address, which says nothing unless it comes back from this user within an hour or two."""
        encoded = base64.urlsafe_b64encode(text.encode(errors="replace")).decode()
        return f"{encoded}.{self._made('said', user, self._hour, text)}"

    def opened(self, user: User, sealed: str) -> str | None:
        """The text of what was sealed; None for anything else."""
        encoded, _, mark = sealed.partition(".")
        try:
            text = base64.urlsafe_b64decode(encoded.encode()).decode()
        except (binascii.Error, ValueError):
            return None
        known = any(self._is(mark, "said", user, self._hour - back, text) for back in range(2))
        return text if known else None

    @property
    def _hour(self) -> int:
        return int(self._now() // HOUR)

    def _made(self, use: str, user: User, hour: int, text: str) -> str:
        said = "\0".join((use, str(hour), str(len(user.name)), user.name, text))
        return hmac.digest(self._key, said.encode(errors="replace"), "sha256").hex()

    def _is(self, mark: str, use: str, user: User, hour: int, text: str) -> bool:
        return hmac.compare_digest(mark.encode(errors="replace"), self._made(use, user, hour, text).encode())
