"""Workflows: jobs that wait for the ends of others, enqueued as a whole, or not at all."""

from pgqueue.workflows.canvas import (
    chain,
    chord,
    chunks,
    group,
    map,  # noqa: A004  # as everybody calls it
    map_chunks,
    starmap,
)
from pgqueue.workflows.controlling import cancel_workflow, retry_workflow
from pgqueue.workflows.open_group import OpenGroup, open_group
from pgqueue.workflows.parts import Chain, Group, Part, WorkflowOptions
from pgqueue.workflows.placeholders import previous, results
from pgqueue.workflows.started import Started, WorkflowRef, workflow_id_of
from pgqueue.workflows.workflow import Node, Workflow

__all__ = [
    "Chain",
    "Group",
    "Node",
    "OpenGroup",
    "Part",
    "Started",
    "Workflow",
    "WorkflowOptions",
    "WorkflowRef",
    "cancel_workflow",
    "chain",
    "chord",
    "chunks",
    "group",
    "map",
    "map_chunks",
    "open_group",
    "previous",
    "results",
    "retry_workflow",
    "starmap",
    "workflow_id_of",
]
