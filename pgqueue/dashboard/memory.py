"""Answers that are good for a while: what changes once a minute need not be asked for every second."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 200


class Memory:
    """What was answered lately, by what was asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()  # guarded by the lock

    def get(self, key: Hashable, seconds: float, ask: Callable[[], T]) -> T:
        """What `ask` answered at most so many seconds ago, or answers now."""
        with self._lock:
            since, answer = self._known.get(key, (0.0, None))
            if key in self._known and time.monotonic() - since < seconds:
                known: T = answer
                return known
        fresh = ask()
        with self._lock:
            self._known[key] = time.monotonic(), fresh
            self._known.move_to_end(key)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return fresh
