"""Which job is meant: by its id, or by what a call answered about it."""

from __future__ import annotations

from uuid import UUID

from pgqueue.context import JobContext
from pgqueue.enqueued import Enqueued
from pgqueue.errors import UsageError
from pgqueue.job import NewJob
from pgqueue.record import Job

JobRef = UUID | str | Enqueued | Job | JobContext


def id_of(job: JobRef) -> UUID:
    """The id of a job that is named by it, as UUID or text, or by what enqueue() or get_job() answered."""
    found = job.id if isinstance(job, Enqueued | Job | JobContext) else job
    if isinstance(found, UUID):
        return found
    if isinstance(job, NewJob):
        raise UsageError("a NewJob has no id before it is enqueued; pass what enqueue() or enqueue_many() answers")
    try:
        return UUID(found)
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"job_id must be a uuid.UUID, or what enqueue() answered, got {job!r:.80}") from None
