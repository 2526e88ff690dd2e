"""One thread of an executor: what it runs, and who waits for that."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.homes import Homes
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.executors.batches import are_all, ids_among
from pgqueue.worker.executors.watch import Watch


@dataclass(slots=True)
class Slot:
    """One thread. It alone writes `running`; `abandoned` is set when nobody waits for it any more."""

    # Held while what it ran is handed on: a claim is reported once, or left over.
    handing_on: threading.Lock = field(default_factory=threading.Lock)
    # Number, claim, and the monotonic() of its start.
    running: tuple[int, Claim, float] | None = None
    ended: int = 0
    abandoned: bool = False
    watch: tuple[int, bool, Watch] | None = None
    homes: Homes | None = None
    # Of the home that its last job had, or has.
    attempts: Attempts | None = None
    thread: threading.Thread = field(init=False)
    # Of the batch that it runs, if that is one: those that were cancelled, the others not.
    unwanted: frozenset[UUID] = frozenset()

    def tell_cancelled(self, attempts: Attempts, running: tuple[int, Claim, float], ids: frozenset[UUID]) -> None:
        """Tell the job, or these of the batch, that it was cancelled."""
        number, claim, _ = running
        self.unwanted = ids | ids_among(claim, self.unwanted)
        if are_all(claim, self.unwanted):
            attempts.tell(number, Notice.CANCELLED)
        else:
            attempts.tell_some(number, ids)
