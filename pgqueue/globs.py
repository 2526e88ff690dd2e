"""Globs: patterns of names, of queues or targets, with `*` for any letters and `?` for one."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

# Before a pattern of queues that a worker leaves out, where it says which it serves.
EXCEPT = "!"


def is_glob(text: str) -> bool:
    """Whether it may mean several names."""
    return "*" in text or "?" in text


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern means this name."""
    return pattern == name or (is_glob(pattern) and _compiled(pattern).fullmatch(name) is not None)


def best(patterns: Collection[str], name: str) -> str | None:
    """Of the patterns that mean a name the one that says most: the name itself, else the one with most letters.

    Of two with as many the first in order. As route.sql has it.
    """
    if name in patterns:
        return name
    found = [pattern for pattern in patterns if matches(pattern, name)]
    return min(found, key=lambda pattern: (-letters(pattern), pattern), default=None)


def letters(pattern: str) -> int:
    """How many letters a pattern names."""
    return len(pattern) - pattern.count("*") - pattern.count("?")


def serves(said: Sequence[str] | None, queue: str) -> bool:
    """Whether a worker that says this of its queues serves one: None is all, `!pattern` leaves out. As serves.sql."""
    if said is None:
        return True
    if queue in said:
        return True
    wanted = any(matches(each, queue) for each in said if not each.startswith(EXCEPT))
    return wanted and not any(matches(each[1:], queue) for each in said if each.startswith(EXCEPT))


# Some are typed by people who search.
@lru_cache(maxsize=2000)
def _compiled(pattern: str) -> re.Pattern[str]:
    first, *rest = [
        "".join("." if letter == "?" else re.escape(letter) for letter in part) for part in pattern.split("*")
    ]
    if not rest:
        return re.compile(first, re.DOTALL)
    # What stands between two stars is taken where it is first met, and never given back: no pattern takes for ever.
    between = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    return re.compile(f"{first}{between}.*{rest[-1]}", re.DOTALL)
