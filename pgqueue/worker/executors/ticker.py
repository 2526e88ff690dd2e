"""Looks at what runs ten times a second, in a thread of its own; sleeps while nothing runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

_TICK = 0.1
# So often it finds nothing before it sleeps: whoever hands over the next job soon after need not wake it.
_PATIENCE = 10


class Ticker:
    """Calls `look(now)` until that answers that there is nothing to look at, and again after wake()."""

    def __init__(self, name: str, look: Callable[[float], bool]) -> None:
        self._look = look
        self._bell = threading.Event()
        self._dozing = False
        self._stopped = False
        self._thread = threading.Thread(target=self._tick, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to look at; cheap while it looks anyway."""
        if self._dozing:
            self._bell.set()

    def stop(self) -> None:
        """End; does not wait."""
        self._stopped = True
        self._bell.set()

    def _tick(self) -> None:
        idle = 0
        while not self._stopped:
            # Before the look: what comes after it rings.
            self._dozing = idle >= _PATIENCE
            if self._look(monotonic()):
                self._dozing, idle = False, 0
            else:
                idle += 1
            self._bell.wait(None if self._dozing else _TICK)
            self._bell.clear()
