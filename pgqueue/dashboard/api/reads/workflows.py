"""Workflows, and the nodes of one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from uuid import UUID

from pgqueue.answers import NodeAnswer, WorkflowAnswer, node_answer
from pgqueue.dashboard.api.parameters import Parameter, choice, number
from pgqueue.dashboard.api.plain import labels
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import workflows as page
from pgqueue.dashboard.pages.page import Asked
from pgqueue.record import WorkflowRecord, WorkflowState


@dataclass(frozen=True, slots=True)
class Workflows:
    """Workflows, newest first, whose jobs are counted up to 1,000 in each place.

    `next` is before which to go on, null at the end: fewer than 50 were found among the 2,000 that were looked at.
    """

    items: list[WorkflowRecord]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class WorkflowWhole(WorkflowAnswer):
    """A workflow, and 100 of its nodes in order; `next` is behind which to go on, null at the end."""

    next: int | None


def listed(conn: Conn, asked: Asked) -> Workflows:
    """A page of workflows."""
    told = page.load(conn, asked)
    return Workflows([_visible(row, told["labels"][row.id]) for row in told["rows"]], told["more"])


def one(conn: Conn, asked: Asked) -> WorkflowWhole:
    """A workflow with nodes."""
    told = page.load_one(conn, asked)
    row = _visible(told["row"], told["labels"])
    graph: list[NodeAnswer] = [node_answer(node) for node in told["nodes"]]
    known = {field.name: getattr(row, field.name) for field in fields(WorkflowRecord)}
    return WorkflowWhole(**known, graph=graph, next=told["more"])


def _visible(row: WorkflowRecord, said: list[tuple[str, str]]) -> WorkflowRecord:
    return replace(row, labels=None if row.labels is None else labels(said))


ROUTES = (
    Route(
        "workflows",
        "/workflows",
        "Workflows, newest first; for who sees all queues",
        listed,
        Workflows,
        (
            choice("state", "only those in this state", list(WorkflowState)),
            Parameter("name", "only those of this name; order* for any such"),
            Parameter(
                "before", "only those with a lower id: `next` of the page before", {"type": "string", "format": "uuid"}
            ),
        ),
        page="/workflows",
    ),
    Route(
        "workflow",
        "/workflows/{id}",
        "One workflow and its nodes; for who sees all queues",
        one,
        WorkflowWhole,
        (number("after", "only nodes behind this: `next` of the page before", 2**31 - 1, least=0),),
        page="/workflows/{id}",
        places={"id": "the workflow's id"},
    ),
)
