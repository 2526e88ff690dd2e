"""A budget: so many a second, and some that were saved up."""

from __future__ import annotations


class Budget:
    """Grows by `rate` a second up to `most`. Times are monotonic seconds."""

    def __init__(self, rate: float, most: float) -> None:
        self._rate = rate
        self._most = most
        self._left = most
        self._at = 0.0

    def take(self, now: float) -> float:
        """Use one up, if there is one; answers the seconds until there will be, 0 if there was."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0

    def refill(self) -> None:
        """What was used up was well spent."""
        self._left = self._most
