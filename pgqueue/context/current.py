"""The job that runs here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar

from pgqueue.context.job import JobContext
from pgqueue.errors import UsageError

Middleware = Callable[[JobContext], AbstractContextManager[None]]

# Set by the worker round each attempt, inside a context of the attempt's own.
running: ContextVar[JobContext | None] = ContextVar("pgqueue.running", default=None)


def current_job() -> JobContext:
    """The job that is running here. Raises UsageError outside of one, and in a thread that the job started itself."""
    job = running.get()
    if job is None:
        raise UsageError("current_job() needs a running job; in a thread of your own, pass the job to it")
    if job._of_batch:
        raise UsageError("current_job() is one job, and this call runs a batch; each item that it was given is a job")
    return job
