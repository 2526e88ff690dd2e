"""Celery's exceptions: what a task raises to choose its outcome, and what waiting for a result raises."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.errors import (
    DatabaseUnreachable,
    JobFailed,
    PgqueueError,
    ResultTimeout,
    SoftTimeout,
    TargetError,
    UsageError,
)
from pgqueue.outcome import Bury, Cancel
from pgqueue.outcome import Retry as Again

CeleryError = PgqueueError
NotRegistered = TargetError
OperationalError = DatabaseUnreachable
# Raised by result.get() of a job that was revoked, and of one whose error is not known here.
TaskRevokedError = JobFailed
# Raised in a task at its soft_time_limit.
SoftTimeLimitExceeded = SoftTimeout
# Raised by result.get(timeout=...).
TimeoutError = ResultTimeout  # noqa: A001  # as Celery calls it


class Retry(Again):
    """The task is run again: what `self.retry()` raises. `when` is seconds, or None: as the task's policy says."""

    def __init__(
        self, message: str | None = None, exc: BaseException | None = None, when: float | timedelta | None = None
    ) -> None:
        super().__init__(
            message or (f"it asked for a retry after {exc!r:.500}" if exc else "it asked for a retry"), delay=when
        )
        self.message, self.exc, self.when = message, exc, when


class Ignore(Cancel):
    """The job ends cancelled: nobody wants to know what became of it."""

    def __init__(self, why: str = "the task raised Ignore") -> None:
        super().__init__(why)


class Reject(Bury):
    """The job is dead at once, for a human. With `requeue` raise pgqueue.Snooze(delay) instead."""

    def __init__(self, reason: object = None, requeue: bool = False) -> None:
        if requeue:
            raise UsageError(
                "Reject(requeue=True) is not here: raise pgqueue.Snooze(delay), which gives the attempt back"
            )
        super().__init__(f"the task raised Reject: {reason}")
        self.reason, self.requeue = reason, requeue


class MaxRetriesExceededError(PgqueueError):
    """A task asked for one more retry than it may have."""


class ChordError(PgqueueError):
    """A task of a chord's header failed, so that its callback was called off."""
