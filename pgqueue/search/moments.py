"""Moments in a query: `2h` is two hours ago, `+2h` two hours ahead, `2031-05-01T09:30` a moment in local time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pgqueue.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\+?)((?:\d+(?:\.\d+)?[smhdw])+)", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)
_AGO = re.compile(r"(.+?)\s+ago", re.IGNORECASE)
_UNITS = {"second": "s", "sec": "s", "minute": "m", "min": "m", "hour": "h", "day": "d", "week": "w"}
_LONG_UNIT = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})s?\b\s*", re.ASCII | re.IGNORECASE)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Letters of a day that tell it from the others.
_SHORTEST = 3


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


def past_moment(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """A moment that has been, as people say it: `03:12` (the last one), `2h ago`, `yesterday 03:12`, an ISO 8601 one.

    Behind it may stand a zone: `UTC`, `Europe/Vienna`; without one it is `zone`'s time, or this machine's. Raises
    UsageError, also of what is to come.
    """
    said = " ".join(text.split())[:80]
    try:
        found = _past(said, now, zone)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            "a moment reads 03:12, 2h ago, yesterday 03:12, monday 03:12, or 2031-05-01T03:12 (local time, or with"
            f" a zone behind it: UTC, Europe/Vienna), got {text[:80]!r}"
        ) from None
    if found > now:
        raise UsageError(f"{text[:80]!r} is to come, and nothing is known of that; name a moment that has been")
    return found


def _past(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    head, _, tail = text.rpartition(" ")
    if head and (named := _zone(tail)) is not None:
        return _past(head, now, named)
    ago = _AGO.fullmatch(text)
    span = _LONG_UNIT.sub(lambda found: f"{found[1]}{_UNITS[found[2].lower()]}", ago[1]) if ago else text
    if _SPAN.fullmatch(span) and not span.startswith("+"):
        return moment(span, now)
    if ago:
        raise ValueError(text)
    if text == "now":
        return now
    here = now.astimezone(zone)
    word, _, clock = text.partition(" ")
    day = _day(word.lower(), here.date())
    if day is not None:
        at = _time(clock) if clock else time()
        found = _in_zone(datetime.combine(day, at), zone)
        is_named = found > now and word.lower() not in ("today", "yesterday")
        return _in_zone(datetime.combine(day - timedelta(weeks=1), at), zone) if is_named else found
    if _CLOCK.fullmatch(text):
        found = _in_zone(datetime.combine(here.date(), _time(text)), zone)
        return found if found <= now else _in_zone(datetime.combine(here.date() - timedelta(days=1), _time(text)), zone)
    return _in_zone(datetime.fromisoformat(text), zone)


def _day(word: str, today: date) -> date | None:
    """The day that a word names, today or before."""
    if word in ("today", "yesterday"):
        return today - timedelta(days=int(word == "yesterday"))
    for number, name in enumerate(_DAYS):
        if len(word) >= _SHORTEST and name.startswith(word):
            return today - timedelta(days=(today.weekday() - number) % 7)
    return None


def _zone(name: str) -> tzinfo | None:
    """The zone of this name; None if it is none."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name) if "/" in name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _in_zone(value: datetime, zone: tzinfo | None) -> datetime:
    """The moment; without a zone of its own it is in `zone`, or here. Of an hour that comes twice the first."""
    return (value if value.tzinfo is not None or zone is None else value.replace(tzinfo=zone)).astimezone(UTC)


def _named(text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    day = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return (day if text == "today" else day - timedelta(days=1)).astimezone(UTC)


def _time(text: str) -> time:
    return datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M").time()
