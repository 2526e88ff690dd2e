"""Counts infrastructure errors: a full disk or no memory on this machine makes a worker that only does harm."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from pgqueue.encryption import in_words
from pgqueue.events import Finished, HostFailed
from pgqueue.outcome import Settlement

# A worker that itself runs out of something tries again, and retires when it happens so often within so many seconds.
MOST_FAILURES, FAILURE_SECONDS = 3, 60.0


class HostFailures:
    """Told of what this machine keeps the worker's own roles from; calls `retire(why)` if it goes on."""

    def __init__(self, retire: Callable[[str], None]) -> None:
        self._retire = retire
        self._times: deque[float] = deque(maxlen=MOST_FAILURES)

    def hear(self, failed: HostFailed) -> None:
        """It has happened, once more."""
        now = time.monotonic()
        self._times.append(now)
        if len(self._times) == MOST_FAILURES and now - self._times[0] <= FAILURE_SECONDS:
            self._retire(f"this machine has run out of something that the {failed.role} needs: {failed.lack:.300}")


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
            last = in_words(": ".join(part for part in (settlement.error_type, settlement.error) if part))
            many = "1 infrastructure error" if self._limit == 1 else f"{self._limit} infrastructure errors"
            self._retire(f"{many} within {self._minutes:g} minutes, the last one {last:.300}")
