"""Which jobs an address asks for, and the page of them that exists for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.job import JobState
from pgqueue.leaving_out import HIDDEN, without
from pgqueue.record import Job
from pgqueue.redaction import Redaction
from pgqueue.store import secrecy
from pgqueue.store.listing import TOO_LARGE, page
from pgqueue.store.listing import Asked as AskedJobs

LIMITS = (25, 50, 100, 200)


@dataclass(frozen=True, slots=True)
class Filters:
    """What jobs are asked for; empty is any."""

    state: JobState | None
    queue: str | None
    target: str | None
    before: UUID | None
    limit: int
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Jobs, newest first; `next` is the id before which the next page begins, None at the end.

    `looked` is how many were looked at and `back_to` how far back, where the look stopped before it had enough.
    """

    jobs: list[Job]
    next: UUID | None
    looked: int | None
    back_to: datetime | None
    heads: bool
    unread: int = 0


def filters(asked: Asked) -> Filters:
    """The filters of an address; what it says wrongly is not asked for."""
    state = asked.text("state")
    limit = asked.text("limit") or ""
    return Filters(
        state=JobState(state) if state in list(JobState) else None,
        queue=asked.text("queue"),
        target=asked.text("target"),
        before=asked.id("before"),
        limit=int(limit) if limit.isdecimal() and int(limit) in LIMITS else 50,
    )


def found(conn: Conn, asked: Asked, states: frozenset[JobState], said: Filters) -> Found:
    """A page of jobs. Raises Busy."""
    there = page(
        conn,
        AskedJobs(
            states=states, queue=said.queue, target=said.target, before=said.before, limit=said.limit, cause=said.cause
        ),
    )
    if there is None:
        raise Busy
    targets = {job.target for job in there.jobs}
    known = seen(conn, lambda conn: secrecy.knowing(conn, targets, asked.redaction)) if targets else asked.redaction
    is_full = len(there.jobs) == said.limit
    return Found(
        jobs=[as_shown(job, known) for job in there.jobs if asked.user.sees(job.queue)],
        next=there.jobs[-1].id if is_full else there.until,
        looked=None if is_full or (there.until is None and not there.heads) else there.looked,
        back_to=None if is_full else made_at(there.until),
        heads=there.heads and not is_full and there.until is None,
    )


def as_shown(job: Job, redaction: Redaction) -> Job:
    """A job of a list: without its arguments, and without their secrets in its error and its keys."""
    secrets = None if job.args == TOO_LARGE else redaction.of_value(job.target, job.args)[1]
    error = job.last_error
    if error is not None and secrets is None:
        error = f"{error.partition(': ')[0]}: {HIDDEN}"
    return replace(
        job,
        args=None,
        last_error=without(error, secrets or ()),
        reason=without(job.reason, secrets),
        unique_key=without(job.unique_key, secrets),
        limit_key=without(job.limit_key, secrets),
    )


def made_at(job_id: UUID | None) -> datetime | None:
    """When a job was made, if its id tells."""
    if job_id is None or job_id.version != 7:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=job_id.int >> 80)
    except OverflowError:
        return None
