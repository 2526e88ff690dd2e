"""The outbox: outcomes that wait until the database has acknowledged or refused each of them.

One whose row is locked by somebody's open transaction is set aside, so that it holds up no other, until it is free;
and so is one that the database refuses.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from uuid import UUID

from pgqueue.events import Finished
from pgqueue.job import Token


def written_size(batch: Iterable[Finished]) -> int:
    """About how many bytes are to be written for ended attempts: none for most."""
    return sum(
        [
            len(said.result or "") + len(said.error or "") + len(said.traceback or "") + len(said.brings or "")
            for _, said, _, _ in batch
            if said.result is not None or said.error is not None or said.brings is not None
        ]
    )


class Outbox:
    """Filled by executors from any thread, emptied by the claim loop; nothing leaves it unwritten.

    `filled(first)` is called after each add(), outside of the lock;
    `first` if the outbox had been empty.
    """

    def __init__(self, filled: Callable[[bool], None]) -> None:
        self._filled = filled
        self._lock = threading.Lock()  # guards _waiting, _aside, _refused and _since
        self._waiting: deque[Finished] = deque()
        self._aside: list[Finished] = []
        self._refused: dict[Token, Finished] = {}
        self._since = 0.0
        self.total = 0
        # Of the results and errors that wait.
        self.size = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._aside) + len(self._refused)

    @property
    def due(self) -> int:
        """How many can be written now, as far as is known."""
        return len(self._waiting)

    @property
    def refused(self) -> int:
        """How many were set aside because the database refuses them."""
        return len(self._refused)

    @property
    def aside(self) -> list[UUID]:
        """The jobs of those that were set aside because they are locked."""
        with self._lock:
            return [done.claim.id for done in self._aside]

    def add(self, batch: Sequence[Finished]) -> None:
        """Take over ended attempts."""
        with self._lock:
            first = not self._waiting
            if first:
                self._since = time.monotonic()
            self._waiting.extend(batch)
            self.total += len(batch)
            for done in batch:
                # Mostly one, with nothing to weigh.
                if done.settlement.result is not None or done.settlement.error is not None:
                    self.size += written_size((done,))
        self._filled(first)

    def first(self, limit: int, size: int) -> list[Finished]:
        """The oldest ones, up to a number and a size in bytes, but always one; they stay here until forget()."""
        with self._lock:
            if not self.size:
                # Nothing to weigh, as mostly.
                return list(islice(self._waiting, limit))
            first: list[Finished] = []
            for done in islice(self._waiting, limit):
                size -= written_size((done,))
                if size < 0 and first:
                    break
                first.append(done)
            return first

    def forget(self, count: int) -> None:
        """Drop the `count` oldest: they are written down."""
        with self._lock:
            gone = [self._waiting.popleft() for _ in range(count)]
            if self.size:
                self.size -= written_size(gone)
            self._since = time.monotonic()

    def set_aside(self, ids: Collection[UUID]) -> None:
        """Let those of these jobs wait apart; first() passes over them."""
        with self._lock:
            self._aside += [done for done in self._waiting if done.claim.id in ids]
            self._waiting = deque(done for done in self._waiting if done.claim.id not in ids)

    def take_up(self, locked: Collection[UUID]) -> None:
        """Put back what was set aside, but for those that are still `locked`."""
        with self._lock:
            self._waiting.extend(done for done in self._aside if done.claim.id not in locked)
            self._aside = [done for done in self._aside if done.claim.id in locked]

    def take_out(self, written: Collection[Token]) -> None:
        """Drop these, wherever they are: they are written down."""
        with self._lock:
            self._waiting = deque(done for done in self._waiting if done.claim.token not in written)
            for token in written:
                self._refused.pop(token, None)
            self._since = time.monotonic()
            self._weigh()

    def refuse(self, done: Finished) -> None:
        """Let one wait apart, with what stands in it now; first() passes over it."""
        with self._lock:
            token = done.claim.token
            self._waiting = deque(other for other in self._waiting if other.claim.token != token)
            self._refused[token] = done
            self._weigh()

    def refused_one(self, token: Token) -> Finished | None:
        """One of those that the database refuses."""
        return self._refused.get(token)

    def age(self) -> float:
        """Seconds that the oldest one has waited; 0 if there is none."""
        with self._lock:
            return time.monotonic() - self._since if self._waiting else 0.0

    def _weigh(self) -> None:
        self.size = written_size((*self._waiting, *self._aside, *self._refused.values()))
