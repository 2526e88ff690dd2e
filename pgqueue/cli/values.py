"""From what people type to values: times, moments, labels, arguments."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import typer

from pgqueue import typed
from pgqueue.errors import UsageError

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


def duration(text: str | timedelta) -> timedelta:
    """As typed.duration(); typer passes defaults through here, too."""
    return text if isinstance(text, timedelta) else _parsed(typed.duration, text)


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
    """As typed.moment()."""
    return _parsed(typed.moment, text)


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
    """As typed.arguments(), or none."""
    return None if text is None else _parsed(typed.arguments, text, "; quote it for the shell: '[1, \"two\"]'")


def _parsed(parse: Callable[[str], T], text: str, hint: str = "") -> T:
    try:
        return parse(text)
    except UsageError as error:
        raise typer.BadParameter(f"{error}{hint}") from None
