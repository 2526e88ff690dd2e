"""The tally: how often each thing happened, counted by many threads."""

from __future__ import annotations

import threading
from collections import Counter


class Tally:
    """Counts by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _counts
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """It happened, once more or `count` times."""
        with self._lock:
            self._counts[name] += count

    def __getitem__(self, name: str) -> int:
        with self._lock:
            return self._counts[name]
