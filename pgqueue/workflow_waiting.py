"""wait_workflow(): wait until nothing of a workflow runs any more, and learn how it stands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import overload

import psycopg

from pgqueue.errors import ResultTimeout, WorkflowNotFound
from pgqueue.hearing import Raw, check_isolation, check_may_wait, waiting_on
from pgqueue.options import Duration, check_duration
from pgqueue.record import WorkflowRecord, WorkflowState
from pgqueue.retry import seconds
from pgqueue.store import workflow_reading
from pgqueue.store.alone import execute_alone
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.store.sync_or_async import answer
from pgqueue.workflows import WorkflowRef, workflow_id_of

# Seconds between two looks: at first, and later on; and for each second of looking so many without.
FIRST, LAST, REST = 0.05, 1.0, 9.0


@overload
def wait_workflow(
    conn: SyncConnection, workflow: WorkflowRef, timeout: Duration | None = None, *, inside_job: bool = False
) -> WorkflowRecord: ...
@overload
def wait_workflow(
    conn: AsyncConnection, workflow: WorkflowRef, timeout: Duration | None = None, *, inside_job: bool = False
) -> Awaitable[WorkflowRecord]: ...
def wait_workflow(
    conn: AnyConnection, workflow: WorkflowRef, timeout: Duration | None = None, *, inside_job: bool = False
) -> WorkflowRecord | Awaitable[WorkflowRecord]:
    """Wait until a workflow has succeeded, failed or been cancelled, at most `timeout` (seconds or a timedelta).

    It looks, about once a second. A workflow that failed may be retried, and run again. What a node returned is
    `pgqueue.result(conn, node.job_id)`, of one of workflow_nodes().

    Raises ResultTimeout, WorkflowNotFound, UsageError in a transaction that cannot see it end, and inside a job, unless
    `inside_job` says that it may wait there. A look costs O(jobs of the workflow, 100,000 at most).
    """
    check_may_wait("wait_workflow()", inside_job)
    check_duration("timeout", timeout, zero=True, infinite=True)
    wanted, limit = workflow_id_of(workflow), None if timeout is None else seconds(timeout)

    async def wait(raw: Raw) -> WorkflowRecord:
        await check_isolation(raw, "wait_workflow()")
        deadline, pause = None if limit is None else time.monotonic() + limit, FIRST
        while True:
            begun = time.monotonic()
            found = await answer(execute_alone(raw, workflow_reading.get(wanted)))
            if found is None:
                raise WorkflowNotFound(wanted)
            record: WorkflowRecord = found
            if record.state is not WorkflowState.RUNNING:
                return record
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise ResultTimeout(f"workflow {wanted} has not ended in {limit:g} s: {record.left:,} jobs are left")
            longest = max(pause, REST * (now - begun))
            await _sleep(raw, longest if deadline is None else min(longest, deadline - now))
            pause = min(2 * pause, LAST)

    waited: WorkflowRecord | Awaitable[WorkflowRecord] = waiting_on(conn, wait)
    return waited


async def _sleep(raw: Raw, pause: float) -> None:
    if isinstance(raw, psycopg.AsyncConnection):
        await asyncio.sleep(pause)
    else:
        time.sleep(pause)
