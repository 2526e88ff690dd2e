"""Ends of attempts: who follows them is told the jobs' ids by whoever ends one, and reads here what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pgqueue.search import Candidate
from pgqueue.store.listing import LARGEST
from pgqueue.store.statement import Statement, query

# Jobs of one question, and attempts among which the latest are looked for.
MOST_JOBS, BUDGET = 500, 20_000


class Ended(NamedTuple):
    """An attempt that has ended. `state` is what its job became by that; `reason` why, of a dead one.

    `labels` and `args` are JSON texts, None where there are none or they are `large`. `degraded` is of a success: of a
    fallback, or a human.
    """

    id: UUID
    claim: int
    attempt: int
    queue: str
    target: str
    outcome: str
    worker: int | None
    host: str | None
    started_at: datetime | None
    finished_at: datetime
    run_at: datetime | None
    priority: int | None
    unique_key: str | None
    limit_key: str | None
    error_type: str | None
    error: str | None
    cause: str | None
    reason: str | None
    state: str
    labels: str | None
    args: str | None
    large: bool
    degraded: bool

    @property
    def elapsed(self) -> float | None:
        """How many seconds it took; None if it never began."""
        return None if self.started_at is None else max(0.0, (self.finished_at - self.started_at).total_seconds())

    @property
    def waited(self) -> float | None:
        """For how many seconds it was due before it began; None if nobody knows."""
        if self.started_at is None or self.run_at is None:
            return None
        return max(0.0, (self.started_at - self.run_at).total_seconds())

    @property
    def candidate(self) -> Candidate:
        """What a query is held against."""
        return Candidate(
            self.id,
            self.queue,
            self.target,
            self.state,
            self.priority,
            self.attempt,
            self.worker,
            self.run_at,
            self.started_at,
            self.finished_at,
            self.unique_key,
            self.limit_key,
            self.reason,
            self.error_type,
            self.error,
            self.host,
            self.labels,
            self.args,
            self.large,
            self.cause,
        )


def of(ids: Sequence[UUID], since: datetime) -> Statement[list[Ended]]:
    """The attempts of jobs that have ended since, in the order in which they did. O(jobs log n)."""
    return Statement(query("ends_of"), (LARGEST, list(ids), since), lambda rows: [Ended._make(row) for row in rows])


def lately(most: int, budget: int = BUDGET) -> Statement[list[Ended]]:
    """The attempts that ended last, among the newest by their jobs' ids. O(budget)."""
    return Statement(query("ends_lately"), (LARGEST, budget, most), lambda rows: [Ended._make(row) for row in rows])
