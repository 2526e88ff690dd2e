"""Why a child was ended, and what its end makes of the job that it was running."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from pgqueue.job import MAX_CRASHES, Claim
from pgqueue.outcome import Cancelled, Crashed, ErrorReport, Outcome, Released, TimedOut, error_report

# Of so many jobs the crashes are remembered, to name the children that one of them took down.
_MOST_REMEMBERED = 1_000


class KillCause(Enum):
    """Why the worker ended a child."""

    TIMEOUT = auto()
    CANCELLED = auto()
    MEMORY = auto()
    ASKED = auto()
    GARBLED = auto()
    # What it ran is left over, or if that had just ended, the next one is given back: see outcome_of().
    LEFT = auto()


@dataclass(frozen=True, slots=True)
class KillReason:
    """The worker ended a child for the job of this number; `said` tells people why."""

    number: int
    cause: KillCause
    said: str


class Crashes:
    """The children that each job has taken down in this process."""

    def __init__(self) -> None:
        self._children: OrderedDict[UUID, list[str]] = OrderedDict()

    def count(self, claim: Claim, pid: int) -> str:
        """Remember one more, and name it, or at the last all of them."""
        named = self._children.pop(claim.id, [])
        named.append(f"child process {pid} of worker {claim.worker}")
        if claim.crashes + 1 >= MAX_CRASHES:
            before = ", ".join(named[:-1])
            return f"{named[-1]}, crash {claim.crashes + 1} in a row{f' after {before}' if before else ''},"
        self._children[claim.id] = named
        if len(self._children) > _MOST_REMEMBERED:
            self._children.popitem(last=False)
        return named[-1]


def outcome_of(
    claim: Claim, number: int, kill_reason: KillReason | None, pid: int, how: str, hung: str | None, crashes: Crashes
) -> Outcome:
    """The outcome of the job that ran when child `pid` ended; `how` is its exit, `hung` where the job was seen."""
    if kill_reason is None:
        named = crashes.count(claim, pid)
        return Crashed(error_report("ChildEnded", f"{named} ended with {how} while it ran the job"))
    if kill_reason.number != number:
        # The job before it had ended in the moment of the kill: this one is innocent.
        said = f"child process {pid} was ended for the job before it: {kill_reason.said}"
        return Released(error=error_report("pgqueue.ChildEnded", said))
    match kill_reason.cause:
        case KillCause.TIMEOUT:
            said = f"it ran longer than its {kill_reason.said}: child process {pid} was ended with {how}"
            return TimedOut(ErrorReport("pgqueue.HardTimeout", said, hung))
        case KillCause.CANCELLED:
            return Cancelled(f"cancelled while it ran, and did not end: child process {pid} was ended with {how}")
        case KillCause.MEMORY:
            return Crashed(error_report("pgqueue.MemoryLimit", f"{crashes.count(claim, pid)} {kill_reason.said}"))
        case KillCause.ASKED:
            return Crashed(error_report("pgqueue.Killed", f"{crashes.count(claim, pid)} {kill_reason.said}"))
        case KillCause.GARBLED:
            return Crashed(error_report("pgqueue.Garbled", f"{crashes.count(claim, pid)} {kill_reason.said}"))
        case KillCause.LEFT:
            return Released(error=error_report("pgqueue.ChildEnded", f"child process {pid} {kill_reason.said}"))
