"""The way of calls and canvases into the database: in the caller's transaction, or in one of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from pgqueue.client import enqueue, enqueue_many
from pgqueue.compat.celery.call_options import CallOptions
from pgqueue.compat.celery.flow import Flow, Given, Planned, new_job, options_of
from pgqueue.compat.celery.group_result import GroupResult
from pgqueue.compat.celery.result import AsyncResult
from pgqueue.compat.connecting import callers_connection, own_connection
from pgqueue.errors import DatabaseUnreachable, UsageError
from pgqueue.store.connection import SyncConnection
from pgqueue.workflow_states import workflow_nodes
from pgqueue.workflows.parts import Canvas

T = TypeVar("T")
_PAGE = 1_000


def send_call(call: Any, given: Given) -> AsyncResult:
    """Enqueue one call; it must have no callbacks."""
    app = call.app
    options = options_of(call, given, app)
    new = new_job(call, given, options, app)
    made = _on_connection(options, app, call.name, lambda conn: enqueue(conn, new.target, new.args, **new.said()))
    if not made.created and new.job_id is not None:
        raise UsageError(
            f"a job with the task_id {new.job_id} is there already, and an id names one job; to have at most one at a"
            " time, say unique_key"
        )
    return AsyncResult(str(made.id), app, call.name)


def send_group(calls: Sequence[Any], given: Given, app: Any, options: CallOptions) -> GroupResult:
    """Enqueue calls that are beside each other, in one round trip."""
    new_jobs = [new_job(call, given, options_of(call, given, app), app) for call in calls]
    ids = _on_connection(options, app, "group", lambda conn: enqueue_many(conn, new_jobs))
    return GroupResult([AsyncResult(str(each), app, call.name) for each, call in zip(ids, calls, strict=True)])


def send_canvas(part: Planned, given: Given, app: Any, options: CallOptions, name: str) -> Any:
    """Enqueue a canvas as a workflow; what waits for a job that is dead is cancelled."""
    flow = Flow(app)
    planned, result = part.planned(flow, given)
    assert isinstance(planned, Canvas)

    def write(conn: SyncConnection) -> list[UUID]:
        started = planned.enqueue(conn, name=name, on_failure="cancel")
        return list(_ids(conn, started.id))

    ids = _on_connection(options, app, name, write)
    for leaf, job_id in zip(flow.leaves, ids, strict=True):
        leaf._id = str(job_id)
    return result


def _ids(conn: SyncConnection, workflow_id: UUID) -> Iterator[UUID]:
    """Those of its jobs, in the order in which they were planned: each is a node of its own."""
    after = 0
    while nodes := workflow_nodes(conn, workflow_id, after=after, limit=_PAGE):
        yield from (node.job_id for node in nodes if node.job_id is not None)
        after = nodes[-1].node


def _on_connection(options: CallOptions, app: Any, caller: str, work: Callable[[SyncConnection], T]) -> T:
    conn = callers_connection(options.connection)
    if conn is not None:
        return work(conn)
    with _opened(options, app.conf.dsn, f"{caller}.apply_async()") as own:
        return work(own)


def _opened(options: CallOptions, dsn: str | None, caller: str) -> Any:
    """A connection of its own, tried again as `retry_policy` says while the database cannot be reached."""
    failures = 0
    while True:
        try:
            return own_connection(dsn, caller)
        except DatabaseUnreachable:
            failures += 1
            wait = None if options.policy is None else options.policy.wait(failures)
            if wait is None:
                raise
            time.sleep(wait)
