"""Jobs that wait for the ends of others: each is told of them by jobs that follow those."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from pgqueue import client
from pgqueue.compat.rq.dependency import Dependency
from pgqueue.compat.rq.options import FRONT, OWN_TASKS
from pgqueue.enqueued import Enqueued
from pgqueue.errors import UsageError
from pgqueue.job import JobState, NewJob
from pgqueue.store import execute, follow_ups
from pgqueue.store.connection import ASYNC, SyncConnection, driver
from pgqueue.store.whole import whole


def enqueue(conn: SyncConnection, new: NewJob, dependency: Dependency) -> Enqueued:
    """Enqueue a job behind others, in the transaction open on `conn`: they cannot end in between unseen."""
    raw = driver(conn)
    if isinstance(raw, ASYNC):
        raise UsageError("depends_on needs a sync connection; in an event loop say pgqueue.chain(...)")
    with whole(raw, several=True):
        return _enqueued(conn, new, dependency)


def _enqueued(conn: SyncConnection, new: NewJob, dependency: Dependency) -> Enqueued:
    waiting = [each for each in dependency.ids if _is_to_come(conn, each, dependency)]
    args: Any = {**dict(new.args or {}), "behind": [str(each) for each in waiting]}
    new = replace(new, target=f"{OWN_TASKS}:perform_behind", args=args)
    if dependency.enqueue_at_front:
        new = replace(new, priority=FRONT)
    made = client.enqueue(conn, new.target, new.args, **new.said())
    awaited = "end" if dependency.allow_failure else "succeeded"
    for each in waiting if made.created else ():
        execute(conn, follow_ups.add(each, awaited, f"{OWN_TASKS}:release", {"waiting": str(made.id)}))
    return made


def _is_to_come(conn: SyncConnection, job_id: UUID, dependency: Dependency) -> bool:
    """Whether the end that is waited for has yet to come. Locks the job's row, so that it stays so."""
    execute(conn, follow_ups.lock(job_id))
    state = client.get_job(conn, job_id).state
    if not state.ended:
        return True
    if state is JobState.SUCCEEDED or dependency.allow_failure:
        return False
    raise UsageError(f"depends_on: job {job_id} is {state}, and nothing behind it would ever begin; retry it first")
