"""One attempt that ran in a test, and what a worker made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pgqueue.events import Finished
from pgqueue.outcome import Failed, Move
from pgqueue.testing.attempting import Seen
from pgqueue.testing.failures import AttemptFailed

# Outcomes that nobody asked for.
_TROUBLE = ("failed", "timeout", "crashed", "expired", "late", "parked")


@dataclass(frozen=True, slots=True)
class Ran:
    """An attempt and its end. `outcome` is the one that stands in history: succeeded, failed, released, cancelled ...;
    or "parked": no task of that name is imported here.

    `value` is what the task returned, `error` what it raised; `message` is the worker's word about it. `retry_in` are
    seconds until the job runs again, None if it has ended; `reason` is why it is dead, None if it is not. `expected` is
    whether the task asked for the failure itself, or calls it expected; `log` what it said with `job.log`.
    """

    id: UUID
    target: str
    queue: str
    attempt: int
    outcome: str
    value: Any = None
    error: BaseException | None = None
    message: str | None = None
    retry_in: float | None = None
    reason: str | None = None
    expected: bool = False
    elapsed: float = 0.0
    log: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the job has succeeded."""
        return self.outcome == "succeeded"

    @property
    def ended(self) -> bool:
        """Whether the job runs no more."""
        return self.retry_in is None

    @property
    def failed(self) -> bool:
        """Whether this is trouble: not what the task asked for itself, and no error that it calls expected."""
        return self.reason is not None or (self.outcome in _TROUBLE and not self.expected)

    def __str__(self) -> str:
        told = f"{self.target} ({self.id}, attempt {self.attempt}): {self.outcome}"
        if self.message:
            told += f": {self.message}"
        if self.reason is not None:
            return f"{told}; dead: {self.reason}"
        return told if self.retry_in is None else f"{told}; runs again in {self.retry_in:g} s"


def ran_of(finished: Finished, seen: Seen) -> Ran:
    """The attempt as its settlement was written."""
    claim, settled, outcome = finished.claim, finished.settlement, seen.outcome
    again = settled.move in (Move.RETRY, Move.RELEASE, Move.PARK)
    kind = None if settled.error_type is None else settled.error_type.rpartition(".")[2]
    return Ran(
        claim.id,
        claim.target,
        claim.queue,
        claim.attempt,
        "parked" if settled.move is Move.PARK else settled.outcome,
        seen.value,
        seen.error,
        ": ".join(filter(None, (kind, settled.error))) or None,
        settled.delay if again else None,
        None if settled.outcome == "cancelled" else settled.reason,
        isinstance(outcome, Failed) and (outcome.asked or outcome.expected),
        finished.elapsed,
        tuple(seen.log),
    )


def raise_failed(ran: Ran, all_of_them: Sequence[Ran]) -> None:
    """Raise AttemptFailed if this one is trouble."""
    if ran.failed:
        raise AttemptFailed(str(ran), all_of_them) from ran.error
