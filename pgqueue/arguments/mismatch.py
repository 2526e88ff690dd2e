"""What is said of a value that its annotation does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pgqueue.arguments.writing import path_of
from pgqueue.leaving_out import HIDDEN

# From what JSON has, or is what the annotation says already, to that. Raises Mismatch.
Reader = Callable[[Any], Any]


class Mismatch(Exception):
    """A value that is not what its annotation says; the trail leads to it, its last step first.

    `why` tells more, and may quote the value.
    """

    def __init__(self, expected: str, value: object, why: str = "") -> None:
        super().__init__(expected)
        self.expected, self.value, self.why = expected, value, why
        self.trail: list[str | int] = []


def step(reader: Reader, value: Any, place: str | int) -> Any:
    """What stands at a place, read; a mismatch tells of the place."""
    try:
        return reader(value)
    except Mismatch as mismatch:
        mismatch.trail.append(place)
        raise


def said(error: Exception, name: str, *, shown: bool = True) -> str:
    """What is wrong, and where below `name`: args["when"]: ...; without the value, if that is not to be shown."""
    if not isinstance(error, Mismatch):
        return f"{name}: nested too deep to be read"
    words = f"{path_of(name, error.trail)}: expected {error.expected}"
    if not shown:
        return f"{words}, got {HIDDEN}"
    return f"{words}, got {_short(error.value)}{f' ({error.why:.500})' if error.why else ''}"


def _short(value: object) -> str:
    match value:
        case str():
            return json.dumps(value[:80], ensure_ascii=False) + ("..." if len(value) > 80 else "")
        case dict():
            return f"an object with {', '.join(map(repr, list(value)[:5])):.80}" if value else "an empty object"
        case list() | tuple():
            return f"a list of {len(value)}"
        case None | bool() | float():
            return json.dumps(value)
        case int():
            return str(value) if abs(value) < 10**80 else "an endless number"
        case _:
            return f"a {type(value).__name__}"
