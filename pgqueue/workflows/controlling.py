"""What is done with a workflow that is there: called off, or taken up again where it failed."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import overload
from uuid import UUID

from pgqueue.errors import WorkflowNotFound
from pgqueue.store import workflows
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement
from pgqueue.workflows.started import WorkflowRef, workflow_id_of


@overload
def cancel_workflow(conn: SyncConnection, workflow: WorkflowRef, *, reason: str | None = None) -> int: ...
@overload
def cancel_workflow(conn: AsyncConnection, workflow: WorkflowRef, *, reason: str | None = None) -> Awaitable[int]: ...
def cancel_workflow(conn: AnyConnection, workflow: WorkflowRef, *, reason: str | None = None) -> int | Awaitable[int]:
    """Cancel a workflow, in the transaction open on `conn`: nothing more of it begins once that has committed.

    This call reaches 250 of its jobs, and workers the rest within seconds; call again, each time in a transaction of
    its own, to be done sooner: answers how many were cancelled or told, 0 once there are no more. What runs is told.
    What is told how it ended (on_failure, on_end) still runs. Raises WorkflowNotFound. O(250 log n).
    """
    wanted = workflow_id_of(workflow)
    return ask(conn, _required(workflows.cancel(wanted, why=reason), wanted))


@overload
def retry_workflow(conn: SyncConnection, workflow: WorkflowRef) -> int: ...
@overload
def retry_workflow(conn: AsyncConnection, workflow: WorkflowRef) -> Awaitable[int]: ...
def retry_workflow(conn: AnyConnection, workflow: WorkflowRef) -> int | Awaitable[int]:
    """Revive the dead jobs of a workflow, in the transaction open on `conn`: it goes on where it failed.

    What has succeeded does not run again. This call revives 250, and workers the rest within seconds, or who calls
    again: answers how many, 0 once there are no more. Raises WorkflowNotFound, and UsageError if it was cancelled:
    enqueue that one anew. O(250 log n).
    """
    wanted = workflow_id_of(workflow)
    return ask(conn, _required(workflows.retry(wanted), wanted))


def _required(statement: Statement[int | None], wanted: UUID) -> Statement[int]:
    def read(rows: Rows) -> int:
        found = statement.read(rows)
        if found is None:
            raise WorkflowNotFound(wanted)
        return found

    return Statement(statement.sql, statement.params, read)
