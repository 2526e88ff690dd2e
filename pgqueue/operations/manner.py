"""How a bulk action is done, as people say it: rates, shares, and what a preview comes to in words."""

from __future__ import annotations

import re

from pgqueue.errors import OptionError
from pgqueue.operations.previews import COUNTED, Preview

# Above so many jobs their number is to be typed.
TYPED = 10_000
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(?:/\s*(s|m|h)?)?", re.ASCII)
_SHARE = re.compile(r"(\d{1,3})\s*%", re.ASCII)
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


def rate_of(text: str) -> float:
    """Jobs a second, of `50/s`, `600/m` or `1000/h`. Raises OptionError."""
    said = _RATE.fullmatch(text.strip())
    if said is None or not float(said[1]):
        raise OptionError(f"a rate reads 50/s, 600/m or 1000/h, got {text[:40]!r}")
    return float(said[1]) / _SECONDS[said[2]]


def share_of(text: str) -> float:
    """A share of one, of `50%`. Raises OptionError."""
    said = _SHARE.fullmatch(text.strip())
    if said is None or int(said[1]) > 100:
        raise OptionError(f"a share reads 50%, got {text[:40]!r}")
    return int(said[1]) / 100


def is_to_be_typed(seen: Preview) -> bool:
    """Whether there are so many jobs, or nobody knows how many, that their number is to be typed."""
    return seen.count > TYPED or not seen.whole


def in_words(kind: str, seen: Preview) -> str:
    """What a bulk action would do, in one line or more."""
    about = "" if seen.whole and seen.count < COUNTED else "at least "
    states = ", ".join(f"{n:,} {state}" for state, n in seen.states.items())
    line = f"{kind}: {about}{seen.count:,} jobs" + (f" ({states})" if states else "")
    if not seen.whole:
        line += f"; looked at {seen.looked:,}, there are more to look at"
    left = ", ".join(f"{n:,} {state}" for state, n in seen.left.items())
    if left:
        line += f"\nleft out: {left}, among the newest that were looked at"
    if seen.kept:
        line += f"\n{seen.kept:,} stay dead: a live job has their unique key"
    return line
