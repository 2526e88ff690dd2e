"""One key. What shows an object shows its id and kind; its bytes are had by reveal() alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import NoReturn

from pgqueue.errors import KeyringError

# Of a secret key, and of either half of an Ed25519 key (RFC 8032).
KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


class KeyKind(StrEnum):
    """SECRET: 32 random bytes, known at both ends. PRIVATE and PUBLIC: the halves of an Ed25519 key."""

    SECRET = "secret"
    PRIVATE = "private"
    PUBLIC = "public"


class Key:
    """A key, its id, the moment from which on nobody uses it, and that at which it was made; None: nobody said."""

    __slots__ = ("_content", "id", "kind", "made", "not_after")

    def __init__(
        self,
        id: str,  # noqa: A002, its name
        kind: KeyKind,
        content: bytes,
        *,
        not_after: datetime | None = None,
        made: datetime | None = None,
    ) -> None:
        if not _ID.fullmatch(id):
            raise KeyringError(f"a key's id must be 1 to 40 letters, digits, dots, - or _, got {id!r:.60}")
        if len(content) != KEY_BYTES:
            raise KeyringError(
                f"the key {id} must have {KEY_BYTES} bytes, got {len(content)}; make one: pgqueue keys new"
            )
        self.id, self.kind, self.not_after, self.made, self._content = id, kind, not_after, made, content

    def reveal(self) -> bytes:
        """Its bytes: for the one call that needs them, never for a name that lives longer."""
        return self._content

    @property
    def writes(self) -> bool:
        """Whether it can sign or encrypt; a public key only checks."""
        return self.kind is not KeyKind.PUBLIC

    def expired(self, now: datetime | None = None) -> bool:
        """Whether its `not_after` is over, by this machine's clock."""
        return self.not_after is not None and (now or datetime.now(UTC)) >= self.not_after

    def __repr__(self) -> str:
        return f"<{self.kind} key {self.id}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"the {self.kind} key {self.id} is neither pickled nor copied")
