"""The running job of one slot against its limits: what is due to it, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import inf

from pgqueue.job import Claim
from pgqueue.worker.attempts.task_spec import TaskSpec, TaskTimes, time_limits

# Behind the name of a limit that the job itself has moved.
_EXTENDED = ", extended by itself"


class Due(Enum):
    """What is to be done about a job that runs too long."""

    NOTICE = auto()
    END = auto()


@dataclass(slots=True)
class Watch:
    """Made when a job has run long enough to be looked at; times are monotonic()."""

    said: str
    notice_at: float
    end_at: float
    # When its timeout ends: what is told before, and done after, moves with it.
    timeout_at: float = inf
    cancelled: bool = False

    @classmethod
    def over(cls, claim: Claim, task: TaskSpec | None, since: float, grace: float) -> Watch:
        """The watch over a claim that runs since then: between notice and end it has `grace` seconds at least."""
        bounds = time_limits(claim, task)
        end = max(bounds.timeout, bounds.notice + grace)
        return cls(bounds.said, since + bounds.notice, since + end, since + bounds.timeout)

    @classmethod
    def over_thread(cls, claim: Claim, task: TaskTimes | None, since: float, grace: float) -> Watch:
        """As over(), where an end is that of the worker: `grace` seconds after the timeout."""
        bounds = time_limits(claim, task)
        return cls(bounds.said, since + bounds.notice, since + bounds.timeout + grace, since + bounds.timeout)

    def extend(self, until: float | None) -> None:
        """The job has asked to run until then: that holds if it is later, and it is not to be ended anyway."""
        ends_at = self.notice_at if self.timeout_at == inf else self.timeout_at
        if until is None or until <= ends_at or self.cancelled:
            return
        later = until - ends_at
        self.notice_at += later
        self.timeout_at += later
        self.end_at += later
        self.said = f"{self.said.removesuffix(_EXTENDED)}{_EXTENDED}"

    def cancel(self, end_at: float) -> bool:
        """Note that the job was cancelled, and when it is to be ended; answers whether that is news."""
        if self.cancelled:
            return False
        self.cancelled = True
        if end_at < self.end_at:
            self.said, self.end_at = "cancelled, and it did not end", end_at
        return True

    def due(self, now: float) -> Due | None:
        """What is due now; a notice once."""
        if now >= self.end_at:
            return Due.END
        if now >= self.notice_at:
            self.notice_at = inf
            return Due.NOTICE
        return None
