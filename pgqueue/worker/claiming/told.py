"""Told queues: those that somebody named, and that are looked at before all rounds; and those to look at again."""

from __future__ import annotations

import heapq
import threading

# So many at a time: each is ten slots.
MOST_TOLD = 16
# So many wait for their second look.
MOST_AGAIN = 100


class Told:
    """Filled by the listener's thread, emptied by the claim loop. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards both
        self._told: dict[str, None] = {}
        self._again: list[tuple[float, float, str]] = []

    def add(self, queue: str) -> None:
        """There may be work in this queue."""
        with self._lock:
            self._told[queue] = None

    def again(self, queue: str, at: float, *, earliest: float) -> bool:
        """Look at this queue at a time, or with any step from the earliest time on; False if too many wait for that."""
        with self._lock:
            if len(self._again) >= MOST_AGAIN:
                return False
            heapq.heappush(self._again, (at, earliest, queue))
            return True

    def due(self, now: float) -> bool:
        """Whether any queue is to be looked at now."""
        return bool(self._told) or bool(self._again and self._again[0][0] <= now)

    @property
    def next_at(self) -> float | None:
        """When a queue is to be looked at again."""
        with self._lock:
            return self._again[0][0] if self._again else None

    def take(self, now: float, *, going: bool) -> tuple[list[str], list[str]]:
        """The queues to look at now, for the first time and again; `going` is whether a step goes anyway."""
        with self._lock:
            again: dict[str, None] = {}
            while self._again and len(again) < MOST_TOLD:
                at, earliest, queue = self._again[0]
                if now < (earliest if going else at):
                    break
                heapq.heappop(self._again)
                again[queue] = None
            told = list(self._told)[: MOST_TOLD - len(again)]
            for queue in told:
                del self._told[queue]
                again.pop(queue, None)
            return told, list(again)
