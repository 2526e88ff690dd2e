"""What is done with one workflow: it is resumed where it failed, or called off."""

from __future__ import annotations

from pgqueue.acting import workflows
from pgqueue.dashboard.actions.action import Action, Doing, Done
from pgqueue.dashboard.actions.subjects import WORKFLOW
from pgqueue.dashboard.database import Conn
from pgqueue.record import WorkflowRecord, WorkflowState
from pgqueue.store.workflows import SLICE


def _retry(conn: Conn, doing: Doing) -> Done:
    row: WorkflowRecord = doing.thing
    slice_ = workflows.retry(conn, doing.actor, row.id)
    if not slice_.done:
        return Done(slice_.said or "", False)
    return Done(f"{slice_.moved:,} {_jobs(slice_.moved)} revived.{_rest(slice_)}")


def _cancel(conn: Conn, doing: Doing) -> Done:
    row: WorkflowRecord = doing.thing
    slice_ = workflows.cancel(conn, doing.actor, row.id)
    if not slice_.done:
        return Done(slice_.said or "", False)
    return Done(f"{slice_.moved:,} {_jobs(slice_.moved)} called off; what runs is told to end.{_rest(slice_)}")


def _rest(first: workflows.Slice) -> str:
    return "" if first.moved < SLICE else " The workers go on with the rest."


def _jobs(count: int) -> str:
    return "job is" if count == 1 else "jobs are"


ACTIONS = (
    Action(
        "retry",
        on=WORKFLOW,
        words="Retry",
        permission="retry",
        needs_all_queues=True,
        fits=lambda row: row.dead > 0 and row.state in (WorkflowState.RUNNING, WorkflowState.FAILED),
        act=_retry,
    ),
    Action(
        "cancel",
        on=WORKFLOW,
        words="Cancel",
        permission="cancel",
        needs_all_queues=True,
        fits=lambda row: row.state in (WorkflowState.RUNNING, WorkflowState.FAILED),
        asks=lambda row: (
            f"Nothing of it starts any more: {row.waiting + row.pending:,} jobs are cancelled"
            f"{'' if row.exact else ', or more'}, and {row.running:,} that run are told to end. It cannot be resumed."
        ),
        act=_cancel,
    ),
)
