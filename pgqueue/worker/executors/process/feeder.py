"""What waits for a child: handed out a little ahead, taken back from those whose job turns out long."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import count
from math import ceil
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.worker.executors.base import take_old
from pgqueue.worker.executors.batches import parted, take_those
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.finished_claims import FinishedClaims


class Feeder:
    """Shares the waiting claims out; others may put claims at one end, and take old ones from the other."""

    def __init__(self, waiting: deque[tuple[Claim, float]], finished: FinishedClaims) -> None:
        self._waiting = waiting
        self._finished = finished
        self._numbers = count()
        # The worker ids whose jobs are not to begin any more.
        self.left: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def feed(self, children: Sequence[ChildProcess], now: float) -> list[ChildProcess]:
        """Feed the children, those with least first; answers which got something."""
        ready = sorted((child for child in children if child.ready), key=lambda child: len(child.fed))
        share = ceil(len(self._waiting) / max(1, len(ready)))
        return [child for child in ready if self._feed(child, min(share, child.room(now)))]

    def take_back(self, child: ChildProcess, number: int) -> None:
        """A child has not started this one, and will not."""
        claim, since = child.fed.pop(number)
        unwanted = child.unwanted.pop(number, frozenset())
        if number in child.cancelled:
            self._finished.cancel_unstarted(claim)
        else:
            self._put_back(claim, since, unwanted)

    def cancel(self, ids: Collection[UUID], of: int | None = None) -> None:
        """Start none of these."""
        for claim, since in take_those(self._waiting, ids, of):
            self._put_back(claim, since, ids)

    def leave(self, worker: int) -> None:
        """Leave over what waits of this worker id, and what is taken back later."""
        self.left.add(worker)
        for claim in take_old(self._waiting, 0.0, worker):
            self._finished.leave_unstarted(claim)

    def close(self) -> None:
        """Leave over what waits still."""
        for claim, _ in self._waiting:
            self._finished.leave_unstarted(claim)
        self._waiting.clear()

    def _put_back(self, claim: Claim, since: float, unwanted: Collection[UUID]) -> None:
        """In front, without those that are not wanted."""
        if claim.worker in self.left:
            self._finished.leave_unstarted(claim)
            return
        rest, cancelled = parted(claim, unwanted)
        if rest is None:
            self._finished.cancel_unstarted(claim)
        else:
            self._finished.cancel_some_unstarted(cancelled)
            self._waiting.appendleft((rest, since))

    def _feed(self, child: ChildProcess, room: int) -> bool:
        entries = []
        with suppress(IndexError):
            for _ in range(room):
                entries.append((next(self._numbers), *self._waiting.popleft()))
        if entries:
            child.feed(entries)
        return bool(entries)
