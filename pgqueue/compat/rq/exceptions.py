"""RQ's exceptions."""

from __future__ import annotations

from pgqueue.errors import JobNotFound, PgqueueError

NoSuchJobError = JobNotFound


class DuplicateJobError(PgqueueError):
    """A job of this id is there already: an id names one job, for good; to have at most one live, say unique_key."""
