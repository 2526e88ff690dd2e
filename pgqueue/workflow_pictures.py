"""Nodes of a workflow as boxes of a picture, with what is to be said of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from pgqueue.drawing import Box, Graph, graph
from pgqueue.record import WorkflowNode

Lasting = Callable[[timedelta], str]
# What a picture says of an error.
SHORTEST = 60


def picture(nodes: Sequence[WorkflowNode], of: int, lasting: Lasting) -> Graph:
    """The picture of these nodes, of as many as there are; `lasting` writes durations."""
    return graph((box_of(node, lasting) for node in nodes), of=of)


def box_of(node: WorkflowNode, lasting: Lasting) -> Box:
    """A node as a box."""
    return Box(
        node.node,
        node.name,
        node.state or "unknown",
        tuple(node.needs),
        tuple(node.repairs or ()),
        node.total,
        node.ended,
        ", ".join(_said(node, lasting)),
        None if node.job_id is None else str(node.job_id),
    )


def _said(node: WorkflowNode, lasting: Lasting) -> Iterator[str]:
    if node.total != 1:
        yield from _of_group(node)
    elif node.dead:
        tries = "" if node.attempt is None else f"after {node.attempt} attempt{'s' * (node.attempt != 1)}"
        yield ": ".join(filter(None, (tries, _brief(node.error or ""))))
    elif node.state == "succeeded" and node.started_at is not None and node.finished_at is not None:
        yield lasting(node.finished_at - node.started_at)
    elif node.attempt is not None and node.attempt > 1 and node.state in ("running", "retrying", "ready"):
        yield f"attempt {node.attempt}"


def _brief(error: str) -> str:
    """An error without the module of its type."""
    kind, colon, said = error.partition(":")
    return f"{kind.rpartition('.')[2]}{colon}{said}"[:SHORTEST]


def _of_group(node: WorkflowNode) -> Iterator[str]:
    if not node.total:
        yield "empty"
    elif node.exact:
        yield f"{node.ended:,} of {node.total:,}"
    else:
        yield f"of {node.total:,}"
    if node.dead:
        yield f"{node.dead:,} dead"
    if node.cancelled:
        yield f"{node.cancelled:,} cancelled"
