"""Requests by name: which role asked, for what, and for how many times it has asked that before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.enumerator.protocol import Message, bound, parsed, queried

CONNECT = "connect"
ENQUEUE = "enqueue"
# However it is done: by a function for one job or for many, or by a statement of its own.
_ENQUEUES = re.compile(r"pgqueue\.enqueue(_jobs?)?\(|\binsert\s+into\s+pgqueue\.jobs\b")
# Of what a migration defines, only the kind of thing: fifty functions are alike.
_DEFINES = re.compile(r"(?:\s|--[^\n]*\n)*(create|alter|drop|comment)\s+(?:or\s+replace\s+|unique\s+|on\s+)?(\w+)")
_OURS = re.compile(r"pgqueue\.(\w+)\(")
_FUNCTION = re.compile(r"\s*select\s+(\w+)\s*\(", re.IGNORECASE)


class Request(NamedTuple):
    """The `number`th request of one kind that one role makes; the first is 1."""

    role: str
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.role} {self.kind} {self.number}"


@dataclass(slots=True)
class Numbering:
    """Numbers requests as they come, and remembers them in that order. Used by one thread."""

    seen: list[Request] = field(default_factory=list)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def next(self, role: str, kind: str) -> Request:
        self._counts[role, kind] += 1
        self.seen.append(Request(role, kind, self._counts[role, kind]))
        return self.seen[-1]


def role_of(application_name: str) -> str:
    """`claimer` for `pgqueue claimer`."""
    return application_name.removeprefix("pgqueue ") or "unnamed"


def kind_of(messages: Sequence[Message], statements: dict[bytes, str]) -> str:
    """What a request is for: the function it calls, or the first word of its statement.

    A step that settles is a `settle`. `statements` holds what this connection has prepared, and is kept up to date.
    """
    sql = ""
    values: list[bytes | None] = []
    for message in messages:
        if message.letter == b"Q":
            sql = queried(message)
        elif message.letter == b"P":
            name, sql = parsed(message)
            statements[name] = sql
        elif message.letter == b"B":
            name, values = bound(message)
            sql = statements.get(name, sql)
    kind = _name(sql)
    if kind == "step" and not values:
        return "prepare"
    return "settle" if kind == "step" and _has_members(values[1]) else kind


def _name(sql: str) -> str:
    if "set_config(" in sql or sql.startswith("set "):
        return "settings"
    if defines := _DEFINES.match(sql):
        return " ".join(defines.groups())
    if _ENQUEUES.search(sql):
        return ENQUEUE
    found = _OURS.search(sql) or _FUNCTION.match(sql)
    return found[1].lower() if found else (sql.split() or ["sync"])[0].strip(";").lower()


def _has_members(array: bytes | None) -> bool:
    """Whether an array, as text or in binary, is not empty."""
    return array is not None and array != b"{}" and array[:4] != bytes(4)
