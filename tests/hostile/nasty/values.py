"""Jobs that return what cannot be kept, or is too much; they return it by name, for JSON could not carry it."""

from __future__ import annotations

import math
import sys
import threading
from typing import Any

from pgqueue.outcome import Retry, Snooze


class Float(float):
    """A number that a worker without this module could not unpickle."""


class Text(str):
    """A text that a worker without this module could not unpickle."""


class Trap(dict[str, Any]):
    """A mapping that ends the process which looks into it."""

    def items(self) -> Any:
        sys.exit(9)


def circle() -> list[Any]:
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    return round_and_round


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def give(name: str) -> Any:
    """One of the values that are no result, or a strange one."""
    makers: dict[str, Any] = {
        "a lock": threading.Lock,
        "a generator": lambda: (number for number in range(3)),
        "a lambda": lambda: lambda: None,
        "a set": lambda: {1, 2},
        "bytes": lambda: b"\xff",
        "NaN": lambda: math.nan,
        "infinity": lambda: -math.inf,
        "a surrogate": lambda: "\ud800",
        "a key that is no text": lambda: {1: 2},
        "a circle": circle,
        "5,000 digits": lambda: 10**5000,
        "5,000 levels": lambda: nested(5000),
        "a trap": lambda: Trap(a=1),
        "NUL": lambda: {"text": "a\0b"},
        "own types": lambda: [Float(0.5), Text("text")],
    }
    return makers[name]()


def echo(value: Any) -> Any:
    return value


def enlarge(megabytes: int) -> str:
    return "x" * (megabytes << 20)


def length(value: str) -> int:
    return len(value)


def snooze() -> None:
    """Never do anything."""
    raise Snooze(0.01)


def raise_retry(delay: str) -> None:
    """Ask for a retry after what is no time."""
    raise Retry(delay=10**400 if delay == "1e400" else float(delay))
