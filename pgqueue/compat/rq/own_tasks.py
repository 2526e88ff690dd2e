"""Tasks of this package: they call a function as RQ does, and tell other functions how that ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.compat.connecting import own_connection
from pgqueue.compat.remote_errors import error_again
from pgqueue.compat.rq.job import Job
from pgqueue.context import current_job
from pgqueue.durable import Durable, signal, workflow
from pgqueue.errors import JobFailed
from pgqueue.job import JobState
from pgqueue.record import EndedJob
from pgqueue.tasks import task
from pgqueue.tasks.importing import runnable


def retry_wait(attempt: int, error: BaseException) -> timedelta | None:
    """How long the job that runs waits after this attempt, as its Retry says."""
    given = current_job().args
    waits = given.get("waits") if isinstance(given, dict) else None
    return timedelta(seconds=_nth(waits, attempt)) if waits else None


@task(retry_in=retry_wait)
def perform(
    function: str,
    args: list[Any],
    kwargs: dict[str, Any],
    waits: list[float] | None = None,
    times: int = 0,
    every: list[float] | None = None,
    done: int = 0,
) -> Any:
    """Call a function; a job that is to be repeated brings the next one with its success."""
    value = runnable(function)(*args, **kwargs)
    if times > 0:
        job = current_job()
        again = {**_said(job.args), "times": times - 1, "done": done + 1}
        job.enqueue(
            perform, again, queue=job.queue, delay=_nth(every or [0.0], done + 1), labels=dict(job.labels),
            max_attempts=job._claim.max_attempts, store_result=True,
        )  # fmt: skip
    return value


@workflow(retry_in=retry_wait)
def perform_behind(
    ctx: Durable,
    function: str,
    args: list[Any],
    kwargs: dict[str, Any],
    behind: list[str],
    waits: list[float] | None = None,
    times: int = 0,
    every: list[float] | None = None,
) -> Any:
    """Call a function once it was told of the ends of other jobs."""
    for job_id in behind:
        ctx.wait_for(event_of(job_id))
    return perform.function(function, args, kwargs, waits, times, every)


@task(transactional=True)
def release(conn: psycopg.Connection[Any], ended: EndedJob, waiting: str) -> None:
    """Tell a job that waits of the end of another one."""
    signal(conn, waiting, event_of(str(ended.id)))


@task(max_attempts=1)
def call_back(ended: EndedJob, function: str, how: str) -> None:
    """Call a function with what RQ tells of an end: the job, a connection, and what it returned or raised."""
    if how == "on_stopped" and ended.state is not JobState.CANCELLED:
        return
    told = runnable(function)
    with own_connection(None, "a callback") as conn:
        job = Job(str(ended.id), conn)
        match how:
            case "on_success":
                told(job, conn, ended.result)
            case "on_failure":
                traceback = job.exc_info
                failed = JobFailed(ended.id, ended.state, ended.reason, traceback)
                error = error_again(ended.error_type, ended.error, failed) or failed
                told(job, conn, type(error), error, traceback)
            case _:
                told(job, conn)


def event_of(job_id: str) -> str:
    """What a job is told by when this one has ended."""
    return f"end of {job_id}"


def _nth(waits: list[float], number: int) -> float:
    """The wait after so many; the last one repeats."""
    return waits[min(number, len(waits)) - 1]


def _said(args: Any) -> dict[str, Any]:
    """The arguments of a job of perform(), which are given by keyword."""
    return {name: value for name, value in dict(args).items() if name != "behind"}
