"""Durable functions: `@workflow` on an ordinary function, whose steps are remembered; it may sleep for months."""

from pgqueue.durable.answers import Approval, Child
from pgqueue.durable.async_context import AsyncDurable
from pgqueue.durable.context import Durable
from pgqueue.durable.decorator import workflow
from pgqueue.durable.outside import fork, signal, steps
from pgqueue.durable.undoing import undoable
from pgqueue.durable.workflow_task import WorkflowTask

__all__ = [
    "Approval",
    "AsyncDurable",
    "Child",
    "Durable",
    "WorkflowTask",
    "fork",
    "signal",
    "steps",
    "undoable",
    "workflow",
]
