"""Rates in words: `100/m` is at most 100 starts in any window of a minute, `5/10s` five in any of ten seconds.

The database reads the same words (rate_of.sql).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgqueue.errors import OptionError

# What a rate may say: starts, and seconds of its window.
MOST_STARTS = 1_000_000_000
SHORTEST, LONGEST = 1, 31 * 86_400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RATE = re.compile(r"([0-9]{1,10})/([0-9]{0,7})([smhd])")
# As others write it.
_LOOSE = re.compile(
    r"\s*([0-9]{1,10})\s*(?:jobs?|starts?|times?)?\s*(?:/|:|(?:per|every|in|an?)\s)\s*"
    r"([0-9]{0,7})\s*(ms|s|m|h|d)?[a-z]*\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many starts in any window of so many seconds."""

    starts: int
    period: float

    def __str__(self) -> str:
        for unit in ("d", "h", "m"):
            if self.period % _UNITS[unit] == 0:
                break
        else:
            unit = "s"
        many = self.period / _UNITS[unit]
        return f"{self.starts}/{'' if many == 1 else f'{many:g}'}{unit}"


def rate_of(text: str) -> Rate:
    """The rate that a text says. Raises OptionError, with the nearest right one."""
    if not isinstance(text, str):
        raise OptionError(f"rate must be a text such as '100/m', got {text!r:.80}")
    found = _RATE.fullmatch(text)
    if found is None:
        raise OptionError(f"rate must read like 100/m, 50/s or 5/10s, got {text!r:.80}; {_nearest(text)}")
    starts, period = int(found[1]), int(found[2] or 1) * _UNITS[found[3]]
    if not 1 <= starts <= MOST_STARTS:
        raise OptionError(
            f"a rate is from 1 to {MOST_STARTS} starts, got {text!r}; to start nothing at all, pause the queue"
        )
    if not SHORTEST <= period <= LONGEST:
        raise OptionError(f"the window of a rate is from 1 s to 31 d, got {text!r}; for example 20/d")
    return Rate(starts, period)


def _nearest(text: str) -> str:
    found = _LOOSE.fullmatch(text)
    unit = (found[3] or "s").lower() if found else "ms"
    if found is None or unit == "ms":
        return "so many starts in a s, m, h or d, or in several of them"
    return f"did you mean '{found[1]}/{found[2]}{unit}'?"
