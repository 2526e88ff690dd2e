"""What producers and the human operator do in the background: a thread with an end and an error."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs `work(stopping)` in a thread from its making; `work` returns soon after `stopping` is set."""

    def __init__(self, name: str, work: Callable[[threading.Event], None]) -> None:
        self.name = name
        self.error: Exception | None = None
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"verify-{name}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Ask for the end; whether it has come within `timeout` seconds. May be called twice."""
        self._stopping.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work(self._stopping)
        except Exception as error:  # Whatever it is, the verifier reports it.
            self.error = error
