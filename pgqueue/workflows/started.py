"""What enqueueing a workflow answers, and which workflow is meant elsewhere."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from pgqueue.errors import UsageError


class Started(NamedTuple):
    """A workflow that was enqueued: its id, valid before COMMIT, and whether this call created it.

    `created` is False if a live workflow has the same unique key; `id` is then that one's, and nothing was added.
    """

    id: UUID
    created: bool


WorkflowRef = UUID | str | Started


def workflow_id_of(workflow: WorkflowRef) -> UUID:
    """The id of a workflow that is named by it, as UUID or text, or by what enqueue() answered."""
    found = workflow.id if isinstance(workflow, Started) else workflow
    if isinstance(found, UUID):
        return found
    try:
        return UUID(found)
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"workflow must be a uuid.UUID, or what enqueue() answered, got {workflow!r:.80}") from None
