"""What a query is held against: of a job as much as the query speaks of."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Candidate(NamedTuple):
    """A job in whatever state. `args` and `labels` are JSON; they, `error` and `host` are None if nobody asks for them.

    `large`: arguments or labels that were asked for are too large to be looked into.
    """

    id: UUID
    queue: str
    target: str
    state: str
    priority: int | None
    attempt: int
    worker: int | None
    run_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    unique_key: str | None
    limit_key: str | None
    reason: str | None
    error_type: str | None
    error: str | None
    host: str | None
    labels: str | None
    args: str | None
    large: bool
    cause: str | None
