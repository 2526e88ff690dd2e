"""A workflow steered by hand: called off, or resumed at what is dead of it, slice by slice.

A slice is a transaction, so that no claim waits for long; the first one has the row of the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import errors

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.errors import WorkflowNotFound
from pgqueue.record import WorkflowRecord, WorkflowState
from pgqueue.store import execute, workflow_reading, workflow_steering, workflows


@dataclass(frozen=True, slots=True)
class Slice:
    """How many jobs a slice has moved, whether anything was done, and if not, what is to be said of it."""

    moved: int
    done: bool = True
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """So many jobs a slice, of those that were dead at a moment; who drives it waits between them."""

    most: int
    since: datetime


def cancel(conn: Conn, actor: Actor, workflow_id: UUID) -> Slice:
    """Ask a workflow to end, and cancel the first slice of it; what runs is told. Raises WorkflowNotFound."""
    row = _found(conn, workflow_id)
    if row.state is WorkflowState.SUCCEEDED:
        return Slice(0, False, f"workflow {workflow_id} has succeeded already")
    if row.asked == "cancel":
        return Slice(cancel_more(conn, workflow_id, actor.reason))
    with audited(conn, actor, "workflows cancel", on=str(workflow_id)):
        return Slice(cancel_more(conn, workflow_id, actor.reason))


def cancel_more(conn: Conn, workflow_id: UUID, why: str | None = None) -> int:
    """The next slice; 0: what waited is cancelled, and what runs was told."""
    return execute(conn, workflows.cancel(workflow_id, why=why)) or 0


def retry(conn: Conn, actor: Actor, workflow_id: UUID, pace: Pace | None = None) -> Slice:
    """Revive the first slice of what is dead of a workflow; what has succeeded is not run again.

    The workers go on with the rest, unless there is a pace. Raises WorkflowNotFound.
    """
    row = _found(conn, workflow_id)
    if row.asked == "cancel":
        return Slice(0, False, f"workflow {workflow_id} was cancelled, and stays so; enqueue it anew")
    if row.state is WorkflowState.SUCCEEDED:
        return Slice(0, False, f"workflow {workflow_id} has succeeded: what is dead of it was repaired, or might fail")
    if not row.dead:
        return Slice(0, False, f"nothing of workflow {workflow_id} is dead: it is {row.state}")
    try:
        with audited(conn, actor, "workflows retry", on=str(workflow_id)):
            return Slice(retry_more(conn, workflow_id, pace))
    except errors.ObjectNotInPrerequisiteState:
        return Slice(0, False, f"workflow {workflow_id} was cancelled meanwhile, and stays so; enqueue it anew")


def retry_more(conn: Conn, workflow_id: UUID, pace: Pace | None = None) -> int:
    """The next slice; 0: all that was dead when it was asked is revived."""
    if pace is None:
        return execute(conn, workflows.retry(workflow_id)) or 0
    with conn.transaction():
        execute(conn, workflow_steering.ask_alone(workflow_id, pace.since))
        moved = execute(conn, workflows.retry(workflow_id, pace.most)) or 0
        execute(conn, workflow_steering.unasked(workflow_id))
    return moved


def _found(conn: Conn, workflow_id: UUID) -> WorkflowRecord:
    row = execute(conn, workflow_reading.get(workflow_id))
    if row is None:
        raise WorkflowNotFound(workflow_id)
    return row
