"""What would be said again and again is said now and then, with how often it was not."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

# Names that are remembered.
MOST = 1_000


class Sparing:
    """Asked about each thing by its name; each is to be said once in so many seconds."""

    def __init__(self, every: float) -> None:
        self._every = every
        # When it was said last, and how often it was not since; the one said longest ago comes first.
        self._said: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def spare(self, name: str) -> int | None:
        """How often this was not said since it was; None if it is not to be said now."""
        now = time.monotonic()
        at, more = self._said.get(name, (-math.inf, 0))
        if now - at < self._every:
            self._said[name] = at, more + 1
            return None
        self._said[name] = now, 0
        self._said.move_to_end(name)
        if len(self._said) > MOST:
            self._said.popitem(last=False)
        return more
