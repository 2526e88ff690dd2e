"""The claims that wait for a thread: taken one by one by the threads, and looked through by others now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from time import monotonic

from pgqueue.job import Claim


class Inbox:
    """A queue of claims, each with the monotonic() at which it came."""

    def __init__(self) -> None:
        # None ends one thread.
        self._entries: SimpleQueue[tuple[Claim, float] | None] = SimpleQueue()
        # Held while somebody has emptied it to look at it.
        self._looking = threading.Lock()

    def add(self, claims: Sequence[Claim]) -> None:
        """Let claims wait."""
        now = monotonic()
        for claim in claims:
            self._entries.put((claim, now))

    def get(self) -> Claim | None:
        """The next claim, waited for; None: the thread that asks is to end."""
        entry = self._entries.get()
        return None if entry is None else entry[0]

    def end(self, threads: int) -> None:
        """Have so many threads end, behind what waits."""
        for _ in range(threads):
            self._entries.put(None)

    def take(self, wanted: Callable[[Claim, float], bool]) -> list[Claim]:
        """Take out the claims for which `wanted(claim, since)`; the others stay in their order."""
        taken: list[Claim] = []
        with self._looking:
            stays: list[tuple[Claim, float] | None] = []
            ends = 0
            while True:
                try:
                    entry = self._entries.get_nowait()
                except Empty:
                    break
                if entry is None:
                    ends += 1
                elif wanted(*entry):
                    taken.append(entry[0])
                else:
                    stays.append(entry)
            for entry in [*stays, *[None] * ends]:
                self._entries.put(entry)
        return taken
