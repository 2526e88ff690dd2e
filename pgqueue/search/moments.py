"""Moments in a query: `2h` is two hours ago, `+2h` two hours ahead, `2031-05-01T09:30` a moment in local time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from pgqueue.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\+?)((?:\d+(?:\.\d+)?[smhdw])+)", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)


def moment(text: str, now: datetime) -> datetime:
    """The moment that a text says, seen from `now`. Raises UsageError."""
    try:
        if (span := _SPAN.fullmatch(text)) is not None:
            length = timedelta(seconds=sum(float(n) * _SECONDS[unit] for n, unit in _PART.findall(span[2])))
            return now + length if span[1] else now - length
        if text in ("now", "today", "yesterday"):
            return _named(text, now)
        if _CLOCK.fullmatch(text):
            return datetime.combine(now.astimezone().date(), _time(text)).astimezone(UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"a moment reads 2h (ago), +2h (ahead), 09:30, today or 2031-05-01T09:30 (local time), got {text[:80]!r}"
        ) from None


def _named(text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    day = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return (day if text == "today" else day - timedelta(days=1)).astimezone(UTC)


def _time(text: str) -> time:
    return datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M").time()
