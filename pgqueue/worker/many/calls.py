"""What the supervisor of one database waits for: signals that the main thread passes on, and threads of its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable


class PassedOn:
    """Signals for one thread that is not the main one."""

    def __init__(self) -> None:
        self._arrived: list[signal.Signals] = []
        self._awake = threading.Event()

    def pass_on(self, number: signal.Signals) -> None:
        """A signal for it has arrived."""
        self._arrived.append(number)
        self._awake.set()

    def wake(self) -> None:
        """Make it look; from any thread."""
        self._awake.set()

    def wait(self, timeout: float) -> Iterable[signal.Signals]:
        """Wait for wake() or a signal, at most `timeout` seconds; answers the signals since the last wait."""
        self._awake.wait(timeout)
        self._awake.clear()
        # Appended to from another thread: what comes after this line is for the next wait.
        arrived, self._arrived = self._arrived, []
        return arrived
