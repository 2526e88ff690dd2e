"""What a feed tells of itself: while it goes on, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FeedProgress:
    """How far a feed is: `items` fed in all, `fed` of them by this call; `waiting` of its jobs have not ended.

    No more than `waiting`: they are counted when there is need to. `trouble` is why it does not get on: the database is
    away, or the queue full.
    """

    items: int
    fed: int
    waiting: int
    buffer: int
    trouble: str | None = None


Listener = Callable[[FeedProgress], None]


@dataclass(frozen=True, slots=True)
class Fed:
    """How a call of feed() ended: `items` are fed in all, `fed` of them by this call, up to `cursor`.

    `cursor` is None where nothing was fed, or the iterator takes none. `already` is whether it was at its end before.
    """

    name: str
    items: int
    fed: int
    cursor: Any
    already: bool
