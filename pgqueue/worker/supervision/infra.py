"""Counts infrastructure errors: a full disk or no memory on this machine makes a worker that only does harm."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from pgqueue.events import Finished
from pgqueue.outcome import Settlement


class InfraErrors:
    """Told of ended attempts; calls `retire(why)` at the `limit`-th infrastructure error within `minutes`."""

    def __init__(self, limit: int, minutes: float, retire: Callable[[str], None]) -> None:
        self._limit = limit
        self._minutes = minutes
        self._retire = retire
        # When the latest of them were told, monotonic; the oldest falls out.
        self._times: deque[float] = deque(maxlen=limit)

    def hear(self, batch: Sequence[Finished]) -> None:
        """Attempts have ended."""
        for done in batch:
            if done.settlement.avoid:
                self._count(done.settlement)

    def _count(self, settlement: Settlement) -> None:
        now = time.monotonic()
        self._times.append(now)
        if len(self._times) == self._limit and now - self._times[0] <= self._minutes * 60:
            last = ": ".join(part for part in (settlement.error_type, settlement.error) if part)
            many = "1 infrastructure error" if self._limit == 1 else f"{self._limit} infrastructure errors"
            self._retire(f"{many} within {self._minutes:g} minutes, the last one {last:.300}")
