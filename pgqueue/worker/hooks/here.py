"""Calls hooks in this process, for executors whose tasks run here, too. What hangs here cannot be ended."""

from __future__ import annotations

import threading

from pgqueue.context import be_at_home_here
from pgqueue.hooks import Hook, Told
from pgqueue.worker.hooks.calling import LONGEST, call, hooks_of, title

# So many may hang at a time; until one of them ends no further hook is called.
MOST_HANGING = 8


class Here:
    """One hook after the other, each in a thread of its own, which is left behind if it hangs."""

    def __init__(self, dsn: str | None = None) -> None:
        self._dsn = dsn
        self._hanging: list[threading.Thread] = []

    def tell(self, name: str, told: Told) -> list[str]:
        """Call the hooks of that name; what was wrong with them, in words."""
        return [fault for hook in hooks_of(name, told) if (fault := self._call(name, hook, told)) is not None]

    def close(self) -> None:
        """Nothing is left open."""

    def _call(self, name: str, hook: Hook, told: Told) -> str | None:
        self._hanging = [thread for thread in self._hanging if thread.is_alive()]
        if len(self._hanging) >= MOST_HANGING:
            return f"{title(name, hook)}: not called, {MOST_HANGING} earlier hooks hang"
        faults: list[str | None] = []
        thread = threading.Thread(
            target=lambda: faults.append(self._called(name, hook, told)), name="pgqueue-hook", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            return f"{title(name, hook)}: {error}"
        # A coroutine ends itself a moment earlier.
        thread.join(LONGEST + 0.1)
        if faults:
            return faults[0]
        self._hanging.append(thread)
        return f"{title(name, hook)}: it runs longer than {LONGEST:g} s, and is left behind"

    def _called(self, name: str, hook: Hook, told: Told) -> str | None:
        # What a hook enqueues goes to where the job came from.
        if self._dsn is not None:
            be_at_home_here(self._dsn)
        return call(name, hook, told)
