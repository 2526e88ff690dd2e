"""Jobs that somebody waits for: which have ended, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.job import JobState
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, only_value, query

# Ids are told there while somebody waits or follows (wake_waiters.sql).
CHANNEL = "pgqueue_ended"
# Jobs of one statement.
MOST_JOBS = 500
# Attempts among which the last traceback is looked for.
LOOKED_AT = 100


class Standing(NamedTuple):
    """What became of a job so far. `state` is None if there is no such job; `result` what is stored of it.

    `traceback` is the last one of a job that ended without success.
    """

    id: UUID
    state: JobState | None
    reason: str | None
    is_stored: bool
    result: Any
    traceback: str | None

    @property
    def ended(self) -> bool:
        """Whether nobody need wait any longer."""
        return self.state is None or self.state.ended


def follow() -> Statement[bool]:
    """Have whoever ends an attempt tell its job's id, until the session ends.

    Waits for nobody: False if somebody has the lock to himself, and then they tell as well.
    """
    return Statement("select pg_catalog.pg_try_advisory_lock_shared(7703, 0)", (), only_value)


def standings(ids: Sequence[UUID]) -> Statement[list[Standing]]:
    """What became of jobs, in their order. At most MOST_JOBS; O(jobs log n)."""
    return Statement(query("ends_awaited"), (list(ids), LOOKED_AT), lambda rows: [_standing(*row) for row in rows])


def ended_among(ids: Sequence[UUID]) -> Statement[list[UUID]]:
    """Those of these jobs that have ended, or do not exist. At most MOST_JOBS; O(jobs log n)."""
    return Statement(query("ended_among"), (list(ids),), lambda rows: [row[0] for row in rows])


def isolation() -> Statement[str]:
    """That of the transaction which is open."""
    return Statement("show transaction_isolation", (), only_value)


def _standing(
    job_id: UUID, state: str | None, reason: str | None, result: str | None, traceback: str | None
) -> Standing:
    named = None if state is None else JobState(state)
    return Standing(job_id, named, reason, result is not None, load_json(result), traceback)
