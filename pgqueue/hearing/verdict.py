"""What is said of a job that was waited for: an error for each that did not succeed."""

from __future__ import annotations

from pgqueue.encryption import Kind, Place, readable
from pgqueue.errors import JobFailed, JobNotFound, ResultTimeout
from pgqueue.job import JobState
from pgqueue.store.awaiting import Standing


def error_of(standing: Standing, timeout: float | None) -> JobFailed | JobNotFound | ResultTimeout | None:
    """Why there is no result of a job that was waited for so many seconds; None if there is one."""
    if standing.state is None:
        return JobNotFound(standing.id)
    if not standing.state.ended:
        within = "" if timeout is None else f" within {timeout} s"
        return ResultTimeout(f"job {standing.id} has not ended{within}; it goes on")
    if standing.state is not JobState.SUCCEEDED:
        traceback = readable(standing.traceback, Place(Kind.TRACEBACK, standing.id))
        return JobFailed(standing.id, standing.state, standing.reason, traceback)
    return None
