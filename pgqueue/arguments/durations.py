"""Durations as ISO 8601 has them, and as PostgreSQL reads and writes an interval: P1DT2H30M, PT-0.5S."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(
    r"(-)?P(?!$)(?:([+-]?\d{1,9})W)?(?:([+-]?\d{1,9})D)?"
    r"(?:T(?!$)(?:([+-]?\d{1,12})H)?(?:([+-]?\d{1,12})M)?(?:([+-]?)(\d{1,15})(?:[.,](\d{1,9}))?S)?)?",
    re.ASCII,
)


def iso_duration(length: timedelta) -> str:
    """The length in days, hours, minutes and seconds; each part of a negative one has its sign."""
    sign = "-" if length < timedelta() else ""
    left = -length if sign else length
    hours, rest = divmod(left.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{sign}{left.days}D" if left.days else ""
    clock = "".join(f"{sign}{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M")) if number)
    if left.microseconds:
        clock += f"{sign}{seconds}.{left.microseconds:06}".rstrip("0") + "S"
    elif seconds or not (days or clock):
        clock += f"{sign}{seconds}S"
    return f"P{days}T{clock}" if clock else f"P{days}"


def duration_of(text: str) -> timedelta:
    """The length that a text says; years and months have none. Raises ValueError, OverflowError."""
    if (found := _FORM.fullmatch(text)) is None:
        raise ValueError(text)
    minus, weeks, days, hours, minutes, sign, seconds, fraction = found.groups()
    micros = int(seconds or 0) * 1_000_000 + int(f"{fraction or '':0<6}"[:6])
    length = timedelta(
        weeks=int(weeks or 0), days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0)
    ) + timedelta(microseconds=-micros if sign == "-" else micros)
    return -length if minus else length
