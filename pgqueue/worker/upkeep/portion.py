"""Portions: how much a chore does in one call, so that it takes a moment whatever the state of the database.

A chore shares its connection with the heartbeat, and one that is cancelled has done nothing: in a database that was
left alone for a month, or is busy, the usual batch may never be done in time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

T = TypeVar("T")

# A call that takes longer is followed by a smaller one, seconds; one that takes much less by a larger one.
LONG, QUICK = 1.0, 0.2
# A cancelled call took all the time that it was given: many of them in a row would help nobody.
CUT = 8


class Portion:
    """A size between `least` and `most`, which follows what calls of that size cost."""

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most
        self.size = most

    def spend(self, call: Callable[[int], T]) -> T:
        """Call with the size that is right now. Raises what the call raises."""
        began = time.monotonic()
        try:
            answer = call(self.size)
        except (psycopg.errors.QueryCanceled, psycopg.errors.OutOfMemory):
            self._become(self.size // CUT)
            raise
        took = time.monotonic() - began
        if took > LONG:
            self._become(self.size // 2)
        elif took < QUICK:
            self._become(self.size * 2)
        return answer

    def _become(self, size: int) -> None:
        self.size = min(self._most, max(self._least, size))
