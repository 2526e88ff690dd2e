"""A workflow steered by hand: called off, or resumed at what is dead of it, slice by slice.

A slice is a transaction, so that no claim waits for long; the first one has the row of the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import errors

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.errors import WorkflowNotFound
from pgqueue.record import WorkflowRecord, WorkflowState
from pgqueue.store import Statement, execute, workflow_reading, workflows

# Jobs that are moved in one transaction.
SLICE = 1_000


@dataclass(frozen=True, slots=True)
class Slice:
    """How many jobs a slice has moved, whether anything was done, and if not, what is to be said of it."""

    moved: int
    done: bool = True
    said: str | None = None


def cancel(conn: Conn, actor: Actor, workflow_id: UUID) -> Slice:
    """Ask a workflow to end, and cancel the first slice of it; what runs is told. Raises WorkflowNotFound."""
    row = _found(conn, workflow_id)
    if row.state is WorkflowState.SUCCEEDED:
        return Slice(0, False, f"workflow {workflow_id} has succeeded already")
    if row.asked == "cancel":
        return Slice(cancel_more(conn, workflow_id, actor.reason))
    return Slice(
        _first(conn, actor, "workflows cancel", workflow_id, workflows.cancel(workflow_id, SLICE, actor.reason))
    )


def cancel_more(conn: Conn, workflow_id: UUID, why: str | None = None) -> int:
    """The next slice; 0: what waited is cancelled, and what runs was told."""
    return execute(conn, workflows.cancel(workflow_id, SLICE, why)) or 0


def retry(conn: Conn, actor: Actor, workflow_id: UUID, most: int = SLICE) -> Slice:
    """Revive the first slice of what is dead of a workflow; what has succeeded is not run again.

    Raises WorkflowNotFound.
    """
    row = _found(conn, workflow_id)
    if row.asked == "cancel":
        return Slice(0, False, f"workflow {workflow_id} was cancelled, and stays so; enqueue it anew")
    if not row.dead:
        return Slice(0, False, f"nothing of workflow {workflow_id} is dead: it is {row.state}")
    try:
        return Slice(_first(conn, actor, "workflows retry", workflow_id, workflows.retry(workflow_id, most)))
    except errors.ObjectNotInPrerequisiteState:
        return Slice(0, False, f"workflow {workflow_id} was cancelled meanwhile, and stays so; enqueue it anew")


def retry_more(conn: Conn, workflow_id: UUID, most: int = SLICE) -> int:
    """The next slice; 0: all that was dead when it was asked is revived."""
    return execute(conn, workflows.retry(workflow_id, most)) or 0


def _found(conn: Conn, workflow_id: UUID) -> WorkflowRecord:
    row = execute(conn, workflow_reading.get(workflow_id))
    if row is None:
        raise WorkflowNotFound(workflow_id)
    return row


def _first(conn: Conn, actor: Actor, action: str, workflow_id: UUID, move: Statement[int | None]) -> int:
    with audited(conn, actor, action, on=str(workflow_id)):
        return execute(conn, move) or 0
