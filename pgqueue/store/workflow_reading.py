"""Questions about workflows: how each stands, where its jobs are, what its nodes are. Each counts up to a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pgqueue.record import MemberOf, WorkflowNode, WorkflowRecord, WorkflowState
from pgqueue.store.direct import Rows
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, only_value, query

# Jobs of each place that are counted of one workflow, and of one that stands in a list (workflows.sql).
MOST_COUNTED, MOST_LISTED = 100_000, 1_000
# Workflows that a page looks at.
BUDGET = 2_000
# Behind the newest of all.
LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which workflows: in a state, with a name like a glob, below an id; at most `limit`."""

    state: WorkflowState | None = None
    name: str | None = None
    before: UUID | None = None
    limit: int = 50


def get(workflow_id: UUID) -> Statement[WorkflowRecord | None]:
    """One workflow; None if there is none. O(MOST_COUNTED)."""
    params = (workflow_id, MOST_COUNTED)
    return Statement(query("workflow"), params, lambda rows: _read(rows[0]) if rows else None)


def page(asked: Asked) -> Statement[list[WorkflowRecord]]:
    """Workflows, the newest first, among BUDGET of them. Those that failed are found by their dead jobs."""
    before = asked.before or LAST
    if asked.state is WorkflowState.FAILED:
        return Statement(query("workflows_failed"), (before, asked.name, BUDGET, asked.limit), _read_all)
    return Statement(query("workflows"), (before, asked.state, asked.name, BUDGET, asked.limit), _read_all)


def end(asked: Asked) -> Statement[UUID | None]:
    """The id down to which page() has looked; None if it has looked at all. O(BUDGET)."""
    name = "workflows_failed_end" if asked.state is WorkflowState.FAILED else "workflows_end"
    return Statement(query(name), (asked.before or LAST, BUDGET), lambda rows: rows[0][0] if rows else None)


def failed() -> Statement[int]:
    """How many of MOST_LISTED workflows with dead jobs have failed. O(MOST_LISTED log n)."""
    return Statement(query("workflows_failed_count"), (MOST_LISTED,), only_value)


def nodes(workflow_id: UUID, after: int, limit: int) -> Statement[list[WorkflowNode]]:
    """Nodes in order, behind one. O(limit + MOST_COUNTED)."""
    return Statement(query("workflow_nodes"), (workflow_id, after, limit, MOST_COUNTED), _read_nodes)


def picture(workflow_id: UUID, limit: int) -> Statement[list[WorkflowNode]]:
    """The nodes that say most of how a workflow stands. O(nodes + MOST_COUNTED)."""
    return Statement(query("workflow_graph"), (workflow_id, limit, MOST_COUNTED), _read_nodes)


def of_job(job_id: UUID) -> Statement[MemberOf | None]:
    """The workflow that a job is a member of; None if it is none's. Walks primary keys."""
    return Statement(query("workflow_of_job"), (job_id,), lambda rows: MemberOf(*rows[0]) if rows else None)


def ids_between(first: UUID, last: UUID) -> Statement[tuple[UUID | None, UUID | None]]:
    """The first and the last workflow whose id lies between these two. O(log n)."""
    return Statement(query("workflow_ids"), (first, last), lambda rows: (rows[0][0], rows[0][1]))


def _read_all(rows: Rows) -> list[WorkflowRecord]:
    return [_read(row) for row in rows]


def _read(row: Sequence[Any]) -> WorkflowRecord:
    values = list(row)
    values[2] = WorkflowState(row[2])
    values[8] = load_json(row[8])
    return WorkflowRecord(*values)


def _read_nodes(rows: Rows) -> list[WorkflowNode]:
    return [WorkflowNode(*row) for row in rows]
