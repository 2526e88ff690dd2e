"""What a job waits for: the ends of others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pgqueue.compat.ids import job_id_of
from pgqueue.errors import OptionError


class Dependency:
    """Jobs, or their ids, that must succeed before another one begins; with `allow_failure` that must end."""

    def __init__(self, jobs: Any, allow_failure: bool = False, enqueue_at_front: bool = False) -> None:
        several = [jobs] if isinstance(jobs, str | UUID) or not isinstance(jobs, Iterable) else list(jobs)
        if not several:
            raise OptionError("depends_on must be a job or several, got none")
        self.ids = list(dict.fromkeys(_id_of(each) for each in several))
        self.allow_failure, self.enqueue_at_front = allow_failure, enqueue_at_front

    @classmethod
    def of(cls, said: Any) -> Dependency | None:
        """What depends_on said: a job, an id, several of those, or a Dependency. Raises OptionError."""
        if said is None or isinstance(said, Dependency):
            return said
        return cls(said)


def _id_of(job: Any) -> UUID:
    found = getattr(job, "id", job)
    if isinstance(found, UUID):
        return found
    if not isinstance(found, str):
        raise OptionError(f"depends_on must be a job or its id, got {job!r:.80}")
    return job_id_of(found)
