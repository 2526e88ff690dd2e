"""From what people type to values: times, moments, labels, arguments."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import typer

E = TypeVar("E", bound=StrEnum)

SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|[smhdw]?)", re.ASCII)


def duration(text: str | timedelta) -> timedelta:
    """`90`, `90s`, `1.5h` or `1h30m` as a time; a bare number is seconds. Typer passes defaults through here, too."""
    if isinstance(text, timedelta):
        return text
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip() or (len(parts) > 1 and any(not unit for _, unit in parts)):
        raise typer.BadParameter(f"a time reads like 90, 90s, 5m, 1h30m or 2d, got {text!r}")
    try:
        return timedelta(seconds=sum(float(number) * SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise typer.BadParameter(f"the time {text} is too long; PostgreSQL's clock ends before it") from None


def seconds(text: str | float) -> float:
    """As duration(), in seconds."""
    return duration(text).total_seconds() if isinstance(text, str) else text


def seconds_or_none(text: str) -> float:
    """As seconds(); `none` is infinite."""
    return float("inf") if text == "none" else seconds(text)


def number_or_none(text: str | int) -> int:
    """A whole number; `none` is 0, which lifts what it is of."""
    if isinstance(text, int):
        return text
    if text == "none":
        return 0
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"a whole number, or none, got {text!r}") from None


def seconds_or_off(text: str | float) -> float:
    """As seconds(), and more than 0; `off` is infinite."""
    if text == "off":
        return float("inf")
    length = seconds(text)
    if length <= 0:
        raise typer.BadParameter(f"a time must be more than 0, got {text}; off switches it off")
    return length


def one_of(kind: type[E]) -> Callable[[str], E]:
    """A parser of one of the values of `kind`."""

    def parse(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            nearest = difflib.get_close_matches(text, list(kind), n=1)
            meant = f"; did you mean {nearest[0]}?" if nearest else ""
            raise typer.BadParameter(f"{text!r} is none of {', '.join(kind)}{meant}") from None

    return parse


def moment(text: str) -> datetime:
    """An ISO 8601 moment; without a zone it is local time."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"a moment reads like 2031-05-01T09:30 (local time) or 2031-05-01T09:30+02:00, got {text!r}"
        ) from None


def labels(pairs: list[str]) -> dict[str, str] | None:
    """`k=v` texts as labels; None if there are none."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"a label reads KEY=VALUE, got {pair!r}", param_hint="--label")
        found[key] = value
    return found or None


def arguments(text: str | None) -> list[Any] | dict[str, Any] | None:
    """The JSON text of a job's arguments: a list is positional, an object is by keyword."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"not JSON: {error}; got {text:.80}; quote it for the shell: '[1, \"two\"]'") from None
    if not isinstance(value, list | dict):
        raise typer.BadParameter(
            f"arguments are a JSON list or object, got {text:.80}; wrap a single one: '[{text:.80}]'"
        )
    return value
