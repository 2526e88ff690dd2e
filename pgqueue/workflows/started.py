"""What enqueueing a workflow answers, and which workflow is meant elsewhere."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol
from uuid import UUID

from pgqueue.elsewhere import names_ours
from pgqueue.errors import UsageError
from pgqueue.habits import OF_STARTED


@names_ours("started", OF_STARTED)
class Started(NamedTuple):
    """A workflow that was enqueued: its id, valid before COMMIT, and whether this call created it.

    `created` is False if a live workflow has the same unique key; `id` is then that one's, and nothing was added.
    """

    id: UUID
    created: bool


class Identified(Protocol):
    """What has the id of a workflow: a Started, an OpenGroup, a WorkflowRecord."""

    @property
    def id(self) -> UUID:
        """The workflow's."""


WorkflowRef = UUID | str | Identified


def workflow_id_of(workflow: WorkflowRef) -> UUID:
    """The id of a workflow that is named by it, as UUID or text, or by what enqueue() answered."""
    found: Any = getattr(workflow, "id", workflow)
    if isinstance(found, UUID):
        return found
    try:
        return UUID(found)
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"workflow must be a uuid.UUID, or what enqueue() answered, got {workflow!r:.80}") from None
