"""From what people type to values, by whatever door: times, moments, arguments. Each raises UsageError."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from pgqueue.errors import UsageError

SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|[smhdw]?)", re.ASCII)


def duration(text: str) -> timedelta:
    """`90`, `90s`, `1.5h` or `1h30m` as a time; a bare number is seconds."""
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip() or (len(parts) > 1 and any(not unit for _, unit in parts)):
        raise UsageError(f"a time reads like 90, 90s, 5m, 1h30m or 2d, got {text[:80]!r}")
    try:
        return timedelta(seconds=sum(float(number) * SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise UsageError(f"the time {text[:80]} is too long; PostgreSQL's clock ends before it") from None


def moment(text: str) -> datetime:
    """An ISO 8601 moment; without a zone it is local time."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"a moment reads like 2031-05-01T09:30 (local time) or 2031-05-01T09:30+02:00, got {text[:80]!r}"
        ) from None


def arguments(text: str) -> list[Any] | dict[str, Any]:
    """The JSON text of a job's arguments: a list is positional, an object is by keyword."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}; got {text:.80}") from None
    if not isinstance(value, list | dict):
        raise UsageError(f"arguments are a JSON list or object, got {text:.80}; wrap a single one: [{text:.80}]")
    return value
