"""Rounds: an unending look at all slots that have jobs, a window after another, so that none is overlooked.

Each window is a statement of its own, and short. While the worker lacks slots to claim from, one follows another;
otherwise they are rationed by what they cost, and so are whole rounds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from pgqueue.store import execute, queues
from pgqueue.store.queues import Head
from pgqueue.worker.loop import Connection

# Slots a window; halved and doubled so that it takes between these, in seconds.
FIRST_WINDOW, LEAST_WINDOW, LARGEST_WINDOW = 100, 10, 1000
SHORT, LONG = 0.005, 0.020
# A window is followed by this many times its cost without one, unless slots are lacking; a round by so many times its.
WINDOW_REST = 10
ROUND_REST = 20
# But by no more than this, in seconds: who is overlooked waits as long.
LONGEST_REST = 5.0


class Rounds:
    """The slots of `names`, or all; looked at in order. `wanted` is whether there may be heads that none has seen."""

    def __init__(self, names: Sequence[str] | None, *, rests: bool) -> None:
        self._names = None if names is None else list(dict.fromkeys(names))
        self._rests = rests
        self._window = FIRST_WINDOW
        # Where the next window begins: behind this slot, or at this name; and whether a round is under way.
        self._behind = ("", 0)
        self._from = 0
        self._cost = 0.0
        self._slots = 0
        self._queues: set[str] = set()
        # The monotonic time from which on another window may be looked at.
        self.next_at = 0.0
        self.under_way = False
        self.wanted = True
        # How many slots and queues the last whole round saw.
        self.slots = self.queues = 0

    def due(self, now: float, *, lacking: bool) -> bool:
        """Whether to look at another window now."""
        return now >= self.next_at or (lacking and self.under_way)

    def look(self, conn: Connection) -> list[Head]:
        """The heads of the next window. Two descents of an index a slot."""
        if not self.under_way:
            self.under_way, self.wanted, self._cost = True, False, 0.0
            self._behind, self._from = ("", 0), 0
            self._slots, self._queues = 0, set()
        began = time.monotonic()
        heads = self._look(conn)
        ended = time.monotonic()
        cost = ended - began
        self._cost += cost
        self._slots += len(heads)
        self._queues.update(head.queue for head in heads)
        if not self.under_way:
            self.slots, self.queues = self._slots, len(self._queues)
        if cost > LONG:
            self._window = max(LEAST_WINDOW, self._window // 2)
        elif cost < SHORT:
            self._window = min(LARGEST_WINDOW, self._window * 2)
        rest = WINDOW_REST * cost if self.under_way else ROUND_REST * self._cost
        self.next_at = ended + min(rest, LONGEST_REST) if self._rests else ended
        return heads

    def _look(self, conn: Connection) -> list[Head]:
        if self._names is None:
            heads = execute(conn, queues.heads(*self._behind, self._window))
            self.under_way = len(heads) == self._window
            if heads:
                self._behind = heads[-1].queue, heads[-1].priority
            return heads
        # As many queues as slots: most have jobs of one priority.
        names = self._names[self._from : self._from + self._window]
        heads = execute(conn, queues.heads_of(names))
        self._from += len(names)
        self.under_way = self._from < len(self._names)
        return heads
