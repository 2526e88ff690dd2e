"""The claims that wait for a thread: taken one by one by the threads, and looked through by others now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.worker.executors.batches import parted


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

        def sift(claim: Claim, since: float) -> Claim | None:
            if not wanted(claim, since):
                return claim
            taken.append(claim)
            return None

        self._sift(sift)
        return taken

    def part(self, ids: Collection[UUID], of: int | None = None) -> tuple[list[Claim], int]:
        """Take out these jobs, of batches alone; answers them, and how many entries are gone. `of` as in Executor."""
        taken: list[Claim] = []
        gone = 0

        def sift(claim: Claim, _: float) -> Claim | None:
            nonlocal gone
            if of is not None and claim.worker != of:
                return claim
            rest, those = parted(claim, ids)
            taken.extend(those)
            gone += rest is None
            return rest

        self._sift(sift)
        return taken, gone

    def _sift(self, stays_of: Callable[[Claim, float], Claim | None]) -> None:
        """Put what stays of each entry in its place."""
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
                elif (rest := stays_of(*entry)) is not None:
                    stays.append((rest, entry[1]))
            for entry in [*stays, *[None] * ends]:
                self._entries.put(entry)
