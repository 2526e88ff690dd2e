"""What testing raises: attempts that failed, and queues that do not come to rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgqueue.errors import PgqueueError

if TYPE_CHECKING:
    from pgqueue.testing.ran import Ran


class AttemptFailed(PgqueueError, AssertionError):
    """An attempt failed, as a worker judges it; what the task raised is its cause. `ran` is all that ran, in order."""

    def __init__(self, message: str, ran: Sequence[Ran]) -> None:
        super().__init__(message)
        self.ran = list(ran)


class NotQuiet(PgqueueError, AssertionError):
    """There was still something to run after as many jobs, or as long, as was allowed. `ran` is what ran, in order."""

    def __init__(self, message: str, ran: Sequence[Ran]) -> None:
        super().__init__(message)
        self.ran = list(ran)
