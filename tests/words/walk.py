"""The oracle of schedules: walks the minutes of a zone one by one. It uses neither croniter nor any code of ours."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
NAMES = {name.lower(): n for n, name in enumerate(calendar.month_abbr) if name}
DAYS = {name: n for n, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}


class Walked:
    """A rule of five fields, as cron(8) has it: a day matches by either of its two fields if both are restricted."""

    def __init__(self, text: str) -> None:
        minute, hour, self.day, month, self.weekday = text.split()
        self.elapsed = minute[0] == "*" or hour[0] == "*"
        self.minutes, self.hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
        self.months = numbers(month, 1, 12, NAMES)
        self.days = None if self.day == "l" else numbers(self.day, 1, 31)
        self.weekdays = None if "#" in self.weekday else {day % 7 for day in numbers(self.weekday, 0, 7, DAYS)}

    def matches(self, local: datetime) -> bool:
        return (
            local.minute in self.minutes
            and local.hour in self.hours
            and local.month in self.months
            and self._day_matches(local)
        )

    def _day_matches(self, local: datetime) -> bool:
        if self.days is None:
            of_month = local.day == calendar.monthrange(local.year, local.month)[1]
        else:
            of_month = local.day in self.days
        today = (local.weekday() + 1) % 7
        if self.weekdays is None:
            name, _, number = self.weekday.partition("#")
            of_week = today == DAYS[name] and (local.day - 1) // 7 + 1 == int(number)
        else:
            of_week = today in self.weekdays
        if self.day != "*" and self.weekday != "*":
            return of_month or of_week
        return of_month and of_week


def numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    """The numbers that a field stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            ends = [(names or {}).get(end) if end in (names or {}) else int(end) for end in span.split("-")]
            first, last = ends[0] or 0, ends[-1] or 0
        found |= set(range(first, last + 1, int(step or 1)))
    return found


def minutes_of(zone: ZoneInfo, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Every minute from `start` to `end`, and the naive local time that it has."""
    count = (end - start) // MINUTE
    each = (start + n * MINUTE for n in range(count))
    return [(at, at.astimezone(zone).replace(tzinfo=None)) for at in each]


def fires(rule: Walked, minutes: list[tuple[datetime, datetime]]) -> Iterator[datetime]:
    """When a rule fires among these minutes, as the guide says."""
    reached = before = minutes[0][1] - MINUTE
    for at, local in minutes:
        if rule.elapsed:
            if rule.matches(local):
                yield at
        else:
            skipped = [before + n * MINUTE for n in range(1, (local - before) // MINUTE)]
            if any(rule.matches(each) for each in skipped if each > reached) or (
                local > reached and rule.matches(local)
            ):
                yield at
        reached, before = max(reached, local), local


def changes_of(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The hours in which the clocks of a zone are changed."""
    hours = [start + timedelta(hours=n) for n in range((end - start) // timedelta(hours=1))]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [hours[n] for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]]


def at(text: str) -> datetime:
    """A moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
