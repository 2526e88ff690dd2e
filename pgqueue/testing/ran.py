"""One attempt that ran in a test, and what a worker made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pgqueue.encryption import Kind, Place, readable
from pgqueue.events import Finished
from pgqueue.outcome import HUMAN, Move, Retry
from pgqueue.testing.attempting import Seen
from pgqueue.testing.failures import AttemptFailed

# Outcomes that nobody asked for.
_TROUBLE = ("failed", "timeout", "crashed", "expired", "late", "parked")


@dataclass(frozen=True, slots=True)
class Brought:
    """A job that an attempt has enqueued by `job.enqueue()`, or as an effect by `job.effect()`, with its success."""

    id: UUID
    target: str
    args: Any = field(repr=False)
    options: Mapping[str, Any]
    is_effect: bool


@dataclass(frozen=True, slots=True)
class Ran:
    """An attempt and its end. `outcome` is the one that stands in history: succeeded, failed, released, cancelled ...;
    or "parked": no task of that name is imported here.

    `value` is what the task returned, `error` what it raised; `message` is the worker's word about it. `retry_in` are
    seconds until the job runs again, None if it has ended; `reason` is why it is dead, None if it is not. `expected` is
    whether the task asked for the failure itself, or calls it expected; `log` what it said with `job.log`, `enqueued`
    what it gathered for its success, `progress` how far it said it was: done, total, note. `fallback` is the code that
    goes on with the job, or "human".
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
    enqueued: tuple[Brought, ...] = ()
    progress: tuple[float, float | None, str | None] | None = None
    fallback: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the job has succeeded."""
        return self.outcome == "succeeded"

    @property
    def ended(self) -> bool:
        """Whether the job runs no more, and waits for no human."""
        return self.retry_in is None and self.fallback is None

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
        if self.fallback is not None:
            return f"{told}; falls back to {self.fallback}"
        return told if self.retry_in is None else f"{told}; runs again in {self.retry_in:g} s"


def ran_of(finished: Finished, seen: Seen) -> Ran:
    """The attempt as its settlement was written."""
    claim, settled = finished.claim, finished.settlement
    again = settled.move in (Move.RETRY, Move.RELEASE, Move.WAIT, Move.PARK) or settled.fallback not in (None, HUMAN)
    kind = None if settled.error_type is None else settled.error_type.rpartition(".")[2]
    return Ran(
        claim.id,
        claim.target,
        claim.queue,
        claim.attempt,
        "parked" if settled.move is Move.PARK else settled.outcome,
        seen.value,
        seen.error,
        ": ".join(filter(None, (kind, readable(settled.error, Place(Kind.ERROR, claim.id))))) or None,
        settled.delay if again else None,
        settled.reason if settled.move is Move.END and settled.outcome != "cancelled" else None,
        settled.expected or isinstance(seen.error, Retry),
        finished.elapsed,
        tuple(seen.log),
        tuple(_brought(seen)),
        _progress(seen),
        settled.fallback if settled.move is Move.FALL_BACK else None,
    )


def _progress(seen: Seen) -> tuple[float, float | None, str | None] | None:
    gauge = None if seen.context is None else seen.context._gauge
    return None if gauge is None or gauge.said is None else gauge.said[:3]


def _brought(seen: Seen) -> Iterator[Brought]:
    brings = None if seen.context is None else seen.context._brings
    if brings is None:
        return
    for text, is_effect in [*((each, False) for each in brings.jobs), *((each, True) for each in brings.effects)]:
        said = json.loads(text)
        options = {name: value for name, value in said.items() if name not in ("id", "target", "args", "given")}
        yield Brought(UUID(said["id"]), said["target"], said["args"], options, is_effect)


def raise_failed(last: Sequence[Ran], ran: Sequence[Ran]) -> None:
    """Raise AttemptFailed for the first of the last ones that is trouble."""
    for each in last:
        if each.failed:
            raise AttemptFailed(str(each), ran) from each.error
