"""What the claimer may ask of the executor, and the gate between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pgqueue.company import Batching
from pgqueue.job import Claim
from pgqueue.judge import Terms
from pgqueue.worker.allotment import Allotment

# A claim loop that hangs while it hands claims over must not take along the thread that shuts the gate.
PATIENCE = 0.1


@dataclass(frozen=True, slots=True)
class Slots:
    """The executor, as far as claims go; `allotment` is there if others use the slots, too."""

    concurrency: int
    submit: Callable[[Sequence[Claim]], None]
    load: Callable[[], int]
    give_back: Callable[[float], list[Claim]]
    terms: Callable[[str], Terms | None] = lambda _: None
    batching: Callable[[], Mapping[str, Batching]] = dict
    # How many calls it has ended; None if nobody counts them.
    ended: Callable[[], int] | None = None
    allotment: Allotment | None = None

    @property
    def own(self) -> int:
        """How many of the slots may be used, as far as is known."""
        return self.concurrency if self.allotment is None else self.allotment.slots

    def ask(self, ahead: int) -> int:
        """How many of the slots may be used now, if so many jobs more than that are claimed."""
        return self.concurrency if self.allotment is None else self.allotment.ask(ahead)


class Gate:
    """Open as long as nobody wants it shut. Once shut() has returned, no more claims come through."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # between shut() and the submission of claims
        self._shut_by: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether claims come through."""
        return not self._shut_by

    def shut(self, who: str) -> None:
        """Let no claims through until this one, and all others, have opened it again."""
        self._shut_by.add(who)
        # Whoever is passing has passed when the lock is free.
        if self._lock.acquire(timeout=PATIENCE):
            self._lock.release()

    def open(self, who: str) -> None:
        """This one does not want it shut any more."""
        self._shut_by.discard(who)

    def pass_on(self, claims: Sequence[Claim], submit: Callable[[Sequence[Claim]], None]) -> bool:
        """Submit the claims if it is open; whether it was."""
        with self._lock:
            if self.is_open:
                submit(claims)
                return True
            return False
