"""What an enqueue answers."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from pgqueue.elsewhere import names_ours
from pgqueue.habits import OF_ENQUEUED


@names_ours("enqueued", OF_ENQUEUED)
class Enqueued(NamedTuple):
    """What enqueue() returns: the job's id, valid before COMMIT, and whether this call created it.

    `created` is False if a unique key or `job_id` found a job that was there already; `id` is then that one's, and
    `replaced` whether it waited and now says what this call does (`on_conflict="replace"`).
    """

    id: UUID
    created: bool

    @property
    def replaced(self) -> bool:
        """Whether a job that waited says now what this call does."""
        return False


class Replaced(Enqueued):
    """What enqueue() returns where a job that waited says now what the call does."""

    __slots__ = ()

    @property
    def replaced(self) -> bool:
        """As of Enqueued."""
        return True
