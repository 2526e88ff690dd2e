"""What a running job adds to its own workflow: written with its success, before what that lets begin."""

from __future__ import annotations

from collections.abc import Container
from typing import Any
from uuid import UUID

from pgqueue.errors import SpawnLimit, UsageError
from pgqueue.job import NewJob
from pgqueue.store import workflow_writing as writing
from pgqueue.store.workflow_rows import Rows
from pgqueue.workflows.compiled import Compiled
from pgqueue.workflows.parts import Part, head_of
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Bound, OnFailure

# Nodes and gates of one addition.
MOST = 9_000


class _All(Container[int]):
    def __contains__(self, node: object) -> bool:
        return True


def grafted(part: Any, on_failure: OnFailure) -> tuple[str, list[UUID]]:
    """A job or a part as JSON for graft.sql, and the ids of its jobs. Raises UsageError, SpawnLimit."""
    if not isinstance(part, NewJob | Part):
        raise UsageError(f"add() takes a job, a chain, a group or a Workflow, got {part!r:.80}; write task.job(...)")
    plan = Plan()
    plan.part(part, "", (), Bound())
    if plan.callbacks:
        raise UsageError(
            "what is told how a part ended cannot be added to a workflow that runs; say then=, or let another job of"
            " the part follow"
        )
    compiled = Compiled(plan, head_of("added", None, None, None), on_failure)
    rows = Rows(members=[row for _, some in compiled.batches() for row in some])
    ids = [row.id for row in rows.members]
    if isinstance(part, NewJob):
        # One more of the node that adds it.
        rows.members = [row._replace(node=0) for row in rows.members]
    else:
        rows.nodes, rows.gates = compiled.nodes(), compiled.gates()
    if len(rows.nodes) > MOST or len(rows.gates) > MOST:
        raise SpawnLimit(f"one call adds at most {MOST:,} nodes, got {len(rows.nodes):,}; add them in several calls")
    return writing.as_json(rows, own=_All()), ids
