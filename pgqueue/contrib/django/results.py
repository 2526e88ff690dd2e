"""A job as a TaskResult of the framework."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string

import pgqueue
from pgqueue.contrib.django import framework, priorities
from pgqueue.contrib.django.call import read
from pgqueue.contrib.django.errors import errors_of
from pgqueue.contrib.django.moments import enqueued_at, shown
from pgqueue.decrypting import decrypted
from pgqueue.encryption import has_keys
from pgqueue.job import JobState
from pgqueue.record import Attempt, Job
from pgqueue.store.connection import SyncConnection

# The label that keeps a priority of the framework's which ours do not tell from its neighbours.
PRIORITY = "priority"


def result_of(job: Job, attempts: list[Attempt], backend: str, conn: SyncConnection) -> Any:
    """What has become of a job; None if it is no job of a task of the framework."""
    task = _task_of(job)
    if task is None:
        return None
    if has_keys():
        job, attempts = decrypted(job), [decrypted(each) for each in attempts]
    args, kwargs = read(job.args)
    began = [each for each in attempts if each.started_at is not None]
    workers = [str(each.worker) for each in began if each.worker is not None]
    if job.state is JobState.RUNNING:
        workers.append(str(job.worker))
    starts = [each.started_at for each in began if each.started_at is not None]
    if job.state is JobState.RUNNING and job.started_at is not None:
        starts.append(job.started_at)
    result = framework.TaskResult(
        task=framework.varied(task, backend=backend, **_said(job)),
        id=str(job.id),
        status=_status_of(job.state),
        enqueued_at=enqueued_at(job.id) or shown(job.created_at),
        started_at=shown(min(starts, default=None)),
        last_attempted_at=shown(max(starts, default=None)),
        finished_at=shown(job.finished_at),
        args=list(args),
        kwargs=kwargs,
        backend=backend,
        errors=errors_of(job, attempts),
        worker_ids=workers,
    )
    if job.state is JobState.SUCCEEDED:
        framework.moved(result, _return_value=pgqueue.result(conn, job.id, 0, inside_job=True))
    return result


def _task_of(job: Job) -> Any:
    try:
        found = import_string(job.target.replace(":", "."))
    except ImportError:
        return None
    return found if isinstance(found, framework.Task) else None


def _said(job: Job) -> dict[str, Any]:
    """What the job was enqueued with, of what a task says."""
    priority = priorities.said(5 if job.priority is None else job.priority)
    exact = (job.labels or {}).get(PRIORITY)
    waits = job.state is JobState.SCHEDULED
    return {
        "queue_name": job.queue,
        "priority": int(exact) if exact is not None else priority,
        "run_after": shown(job.run_at) if waits else None,
    }


def _status_of(state: JobState) -> Any:
    match state:
        case JobState.SUCCEEDED:
            return framework.SUCCESSFUL
        case JobState.DEAD | JobState.CANCELLED:
            return framework.Status.FAILED
        case JobState.RUNNING:
            return framework.Status.RUNNING
        case _:
            return framework.Status.READY
