"""What a worker asks about jobs that it has claimed before it believes that they are what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pgqueue.store.statement import Statement, nothing, query

# Of the name of a schedule, as its label has it.
LONGEST_NAME = 1_000


class SealedJob(NamedTuple):
    """What stands in a job's row, as whoever wrote it has it: `headers` are JSON, cut off where they are too long.

    `own_terms`, JSON too, are what it said of its attempts before it fell back, `fallen_from` the targets that it fell
    back from. `is_copy` is whether a job of its id had ended before it came, or waits elsewhere.
    """

    headers: str | None
    max_attempts: int | None
    own_terms: str | None
    fallen_from: Sequence[str] | None
    tenant: str | None
    is_copy: bool


class Brought(NamedTuple):
    """Where a job comes from that the database has made: whose end it followed, and how; or which tick it is.

    `signature` is that of its schedule.
    """

    parent: UUID | None
    how: str | None
    parent_target: str | None
    schedule: str | None
    signature: str | None


class Tick(NamedTuple):
    """Which tick of which schedule a job says that it is, by its labels."""

    schedule: str | None
    at: datetime | None


class Signable(NamedTuple):
    """What can be signed of a job that waits or is dead, as its row has it; `args`, `labels`, `headers` are JSON."""

    target: str
    args: str
    queue: str
    max_attempts: int | None
    labels: str | None
    headers: str | None


def signable(job_id: UUID) -> Statement[Signable | None]:
    """One job, held until the transaction ends; None if it does not wait and is not dead. O(log n)."""
    return Statement(query("signable"), (job_id,), lambda rows: Signable(*rows[0]) if rows else None)


def seal(job_id: UUID, headers: str) -> Statement[None]:
    """The headers of a job that waits or is dead: signed anew. O(log n)."""
    return Statement(_SEAL, (job_id, headers), nothing)


_SEAL = """
with waits as (update pgqueue.jobs set headers = $2::json where id = $1::uuid and worker is null)
update pgqueue.dead_jobs set headers = $2::json where id = $1::uuid
"""


def sealed(ids: Sequence[UUID]) -> Statement[dict[UUID, SealedJob]]:
    """These jobs, as far as they are there. Walks primary keys; O(batch log n)."""
    return Statement(query("sealed_jobs"), (list(ids),), lambda rows: {row[0]: SealedJob(*row[1:]) for row in rows})


def brought(ticks: dict[UUID, Tick]) -> Statement[dict[UUID, Brought]]:
    """Where these jobs come from, which tick they say they are. Walks primary keys; O(batch log n)."""
    params = (list(ticks), [each.schedule for each in ticks.values()], [each.at for each in ticks.values()])
    return Statement(query("brought_jobs"), params, lambda rows: {row[0]: Brought(*row[1:]) for row in rows})
