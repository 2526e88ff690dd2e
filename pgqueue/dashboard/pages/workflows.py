"""The workflows, newest first; and one of them: its picture, its nodes, what holds it up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from markupsafe import Markup

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.figures import lasting
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.dashboard.pages.schedule import text_of
from pgqueue.drawing import MOST_BOXES, Box, as_svg
from pgqueue.record import WorkflowNode, WorkflowRecord, WorkflowState
from pgqueue.store import execute, workflow_reading
from pgqueue.store.workflow_reading import MOST_COUNTED, MOST_LISTED
from pgqueue.store.workflow_secrecy import nodes_shown
from pgqueue.workflow_pictures import picture

LIMIT, NODES = 50, 100


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of workflows."""
    require_all(asked.user)
    state, name, before = _state(asked.text("state")), asked.text("name"), asked.id("before")
    said = workflow_reading.Asked(state=state, name=name, before=before, limit=LIMIT)

    def question(conn: Conn) -> tuple[list[WorkflowRecord], UUID | None]:
        rows = execute(conn, workflow_reading.page(said))
        return rows, execute(conn, workflow_reading.end(said)) if len(rows) < LIMIT else None

    rows, until = seen(conn, question)
    return {
        "rows": rows,
        "more": rows[-1].id if len(rows) == LIMIT else until,
        "is_short": len(rows) < LIMIT,
        "looked": workflow_reading.BUDGET,
        "said": said,
        "states": (None, *WorkflowState),
        "most_counted": MOST_LISTED,
        "labels": {row.id: _labels(asked, row) for row in rows},
    }


def load_one(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of a workflow."""
    require_all(asked.user)
    found, after = _id(asked.path["id"]), _number(asked.text("after"))

    def question(conn: Conn) -> tuple[WorkflowRecord, list[WorkflowNode], list[WorkflowNode]]:
        row = execute(conn, workflow_reading.get(found))
        if row is None:
            raise Missing(f"no workflow {found}: never committed, or its history is past its keeping time")
        drawn = execute(conn, workflow_reading.picture(found, MOST_BOXES))
        listed = execute(conn, workflow_reading.nodes(found, after, NODES + 1))
        return row, nodes_shown(conn, drawn, asked.redaction), nodes_shown(conn, listed, asked.redaction)

    row, drawn, listed = seen(conn, question)
    return {
        "row": row,
        "drawing": partial(_drawing, row, drawn),
        "nodes": listed[:NODES],
        "names": {node.node: node.name for node in [*drawn, *listed]},
        "more": listed[NODES - 1].node if len(listed) > NODES else None,
        "after": after,
        "dead": [node for node in drawn if node.dead],
        "labels": _labels(asked, row),
        "most_counted": MOST_COUNTED,
    }


def require_all(user: User) -> None:
    """Raise Missing for who sees some queues alone: a workflow's jobs may be in any."""
    if user.queues is not None:
        raise Missing("workflows go through all queues, and exist for those alone who see all")


def _drawing(row: WorkflowRecord, nodes: Sequence[WorkflowNode], url: Any) -> Markup:
    """The picture, in which each job leads to its page; as_svg() has escaped what names say."""

    def link(box: Box) -> str | None:
        return None if box.key is None else str(url("job", id=box.key))

    return Markup(as_svg(picture(nodes, row.nodes, lasting), f"{row.name}: {row.state}", link, alone=False))


def _labels(asked: Asked, row: WorkflowRecord) -> Sequence[tuple[str, str]]:
    return [] if row.labels is None else asked.redaction.labels(text_of(row.labels))


def _state(said: str | None) -> WorkflowState | None:
    return WorkflowState(said) if said in list(WorkflowState) else None


def _id(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise Missing(f"no workflow {said:.80}") from None


def _number(said: str | None) -> int:
    return int(said) if said is not None and said.isascii() and said.isdecimal() and len(said) < 10 else 0


PAGE = Page("workflows", "/workflows", load, ("table",))
ONE = Page("workflow", "/workflows/{id}", load_one, ("head", "graph", "nodes"))
