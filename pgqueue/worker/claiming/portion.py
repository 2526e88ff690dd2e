"""The portion: how many rows and bytes one step may carry, so that it is answered within its deadline.

It begins small: nobody knows how thin the line is, and what is cut off may come too late for the lease. A step that was
answered quickly is followed by one that may carry twice as much. One that was cut off is repeated at half its size.
"""

from __future__ import annotations

from pgqueue.store.jobs import MOST_BYTES

MOST_ROWS = 1_000
FIRST_BYTES, LEAST_BYTES = 2**20, 2**16
# A step that took this share of its deadline, and was not answered, was cut off for being too large.
CUT_SHARE = 0.5
# One that took less than this share could have carried twice as much.
QUICK_SHARE = 0.1


class Portion:
    """Told how long steps took and what they carried; `rows` and `size`, in bytes, are what the next one may."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self.rows = MOST_ROWS
        self.size = FIRST_BYTES

    def unanswered(self, seconds: float) -> None:
        """A step got no answer for so long."""
        if seconds >= self._deadline * CUT_SHARE:
            self.halve()

    def halve(self) -> None:
        """A step was cut off."""
        self.rows = max(1, self.rows // 2)
        self.size = max(LEAST_BYTES, self.size // 2)

    def answered(self, rows: int, size: int, seconds: float) -> None:
        """A step that carried this was answered. What was not used to the half says nothing of more."""
        if seconds < self._deadline * QUICK_SHARE:
            if 2 * rows >= self.rows:
                self.rows = min(MOST_ROWS, self.rows * 2)
            if 2 * size >= self.size:
                self.size = min(MOST_BYTES, self.size * 2)
