"""What is signed of a job, and its bytes: each value with its length before it, so that no two jobs have the same."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from uuid import UUID

# What these bytes are, so that no signature of anything else is one of a job; another layout is another number.
_LAYOUT = b"pgqueue job 1"


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

    def signed_bytes(self, key_id: str, signed_at: int) -> bytes:
        """What is signed: these terms, by which key, and when, in milliseconds since 1970."""
        return packed(_LAYOUT, key_id, signed_at, *[packed(value) for value in self._values()])

    def marks(self) -> str:
        """Six hexadecimal digits for each value. They prove nothing; they tell which one was changed."""
        return "".join(f"{zlib.crc32(packed(value)) & 0xFFFFFF:06x}" for value in self._values())

    def changed_since(self, marks: str) -> list[str]:
        """The names of the values whose marks are others."""
        mine = self.marks()
        return [name for n, name in enumerate(_NAMES) if mine[6 * n : 6 * n + 6] != marks[6 * n : 6 * n + 6]]

    def _values(self) -> list[str | int | None]:
        return [
            self.kind,
            self.about,
            self.target,
            self.args,
            in_order(dict.fromkeys(self.filled, "")) if self.filled else None,
            self.queue,
            self.not_before,
            self.max_attempts,
            self.tenant,
            in_order(self.labels) if self.labels else None,
            in_order(self.context) if self.context else None,
        ]


_NAMES = tuple({"about": "id"}.get(field.name, field.name) for field in fields(SignedTerms))


def packed(*values: str | bytes | int | None) -> bytes:
    """Values one after the other, each with its kind and its length before it."""
    parts = []
    for value in values:
        if value is None:
            parts.append(b"n")
            continue
        kind, content = (
            (b"b", value)
            if isinstance(value, bytes)
            else (b"i", str(value).encode())
            if isinstance(value, int)
            else (b"t", value.encode("utf-8", "surrogatepass"))
        )
        parts += (kind, len(content).to_bytes(8, "big"), content)
    return b"".join(parts)


def in_order(said: Mapping[str, str]) -> str:
    """A mapping as one text, however it was written or stored."""
    return json.dumps(dict(said), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def about_follow_up(parent: UUID, awaited: str) -> str:
    """What the signature of a follow-up is about."""
    return f"{parent} {awaited}"
