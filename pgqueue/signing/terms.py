"""What is signed of a job, and its bytes: each value with its length before it, so that no two jobs have the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from uuid import UUID
from zlib import crc32

# What these bytes are, so that no signature of anything else is one of a job; another layout is another number.
_LAYOUT = "pgqueue job 1"
# What was not said.
_NOTHING = b"n"


class Kind(StrEnum):
    """What a signature is about: one job; what follows the end of one; or each tick of a schedule."""

    JOB = "j"
    FOLLOW_UP = "f"
    TICK = "t"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTerms:
    """Which code runs, with what, where, from when on and how often. None: it was not said, and is not bound.

    `about` is the id of the job; of a follow-up the job that it follows, and which end it awaits; of a tick the name of
    its schedule. `args` is the text that is stored; `filled` names those that results of other jobs fill in later, and
    which are not among `args`. `not_before` is milliseconds since 1970. `context` are the headers by which context
    variables travel.
    """

    kind: Kind
    about: str
    target: str
    args: str
    filled: tuple[str, ...] = ()
    queue: str | None = None
    not_before: int | None = None
    max_attempts: int | None = None
    tenant: str | None = None
    labels: Mapping[str, str] | None = None
    context: Mapping[str, str] | None = None

    def parts(self) -> list[bytes]:
        """Each value, packed: for signed_bytes() and marks()."""
        filled = in_order(dict.fromkeys(self.filled, "")) if self.filled else None
        values = (
            self.kind.value,
            self.about,
            self.target,
            self.args,
            filled,
            self.queue,
            self.not_before,
            self.max_attempts,
            self.tenant,
            in_order(self.labels) if self.labels else None,
            in_order(self.context) if self.context else None,
        )
        return [_NOTHING if value is None else packed(value) for value in values]

    def signed_bytes(self, key_id: str, signed_at: int) -> bytes:
        """What is signed: these terms, by which key, and when, in milliseconds since 1970."""
        return signed_bytes(self.parts(), key_id, signed_at)

    def changed_since(self, said: str) -> list[str]:
        """The names of the values whose marks are others."""
        mine = marks(self.parts())
        return [name for n, name in enumerate(_NAMES) if mine[6 * n : 6 * n + 6] != said[6 * n : 6 * n + 6]]


_NAMES = tuple({"about": "id"}.get(field.name, field.name) for field in fields(SignedTerms))


def signed_bytes(parts: Sequence[bytes], key_id: str, signed_at: int) -> bytes:
    """What is signed of values that have been packed; each says itself where it ends."""
    return b"".join((packed(_LAYOUT), packed(key_id), packed(signed_at), *parts))


def marks(parts: Sequence[bytes]) -> str:
    """Six hexadecimal digits for each value. They prove nothing; they tell which one was changed."""
    return "".join([f"{crc32(part) & 0xFFFFFF:06x}" for part in parts])


def packed(value: str | int) -> bytes:
    """A value with its kind and its length before it."""
    if isinstance(value, int):
        kind, content = b"i", str(value).encode()
    else:
        kind, content = b"t", value.encode("utf-8", "surrogatepass")
    return kind + len(content).to_bytes(8, "big") + content


def in_order(said: Mapping[str, str]) -> str:
    """A mapping as one text, however it was written or stored."""
    return json.dumps(dict(said), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def about_follow_up(parent: UUID, awaited: str) -> str:
    """What the signature of a follow-up is about."""
    return f"{parent} {awaited}"
