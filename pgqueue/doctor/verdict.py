"""What a check answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How it stands: `unknown` where this role may not see, or nobody answered."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """How it stands, in a line, and what to do about it: a command or SQL, `sql` all statements of it, in order."""

    status: Status
    text: str
    cure: str | None = None
    sql: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of this name has found."""

    check: str
    status: Status
    text: str
    cure: str | None
    sql: tuple[str, ...]


def ok(text: str) -> Found:
    """Nothing is wrong."""
    return Found(Status.OK, text)


def warn(text: str, cure: str | None = None, sql: Sequence[str] = ()) -> Found:
    """Something is to be looked at; the cure is the first statement, if none is said."""
    return Found(Status.WARN, text, _first(cure, sql), tuple(sql))


def fail(text: str, cure: str | None = None, sql: Sequence[str] = ()) -> Found:
    """Something is wrong; the cure is the first statement, if none is said."""
    return Found(Status.FAIL, text, _first(cure, sql), tuple(sql))


def unknown(text: str, cure: str | None = None, sql: Sequence[str] = ()) -> Found:
    """It could not be told."""
    return Found(Status.UNKNOWN, text, _first(cure, sql), tuple(sql))


def worst(severities: Sequence[str]) -> Status:
    """FAIL if one of these words is, else warn."""
    return Status.FAIL if "FAIL" in severities else Status.WARN


def listed(items: Sequence[str], most: int = 3) -> str:
    """The first of some texts, and how many more there are."""
    more = f"; and {len(items) - most} more" if len(items) > most else ""
    return "; ".join(items[:most]) + more


def lasting(seconds: float) -> str:
    """A time in its largest fitting unit."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _first(cure: str | None, sql: Sequence[str]) -> str | None:
    return cure if cure is not None or not sql else sql[0]
