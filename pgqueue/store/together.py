"""What many jobs do together: claims of more of them for one call, and their success in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.store.direct import Rows
from pgqueue.store.jobs import MOST_BYTES, Step, read_step
from pgqueue.store.statement import Statement

# A place in a slot: when a job of it falls due, and its id.
Place = tuple[datetime, UUID]
# So many jobs behind the first are looked at, whatever they are.
VISITS = 1_000


class Companions(NamedTuple):
    """More claims for one call, and up to where their slot was looked through; None if there was nothing."""

    step: Step
    seen: Place | None


def claim_companions(
    lead: Claim,
    epoch: int,
    after: Place,
    limit: int,
    *,
    most_attempts: int,
    most_bytes: int = MOST_BYTES,
    visits: int = VISITS,
) -> Statement[Companions]:
    """ready -> running for at most `limit` jobs that may run in one call with `lead`, from behind `after` in its slot.

    `most_attempts` is for jobs that do not say themselves how many they have. O(visits + limit log n).
    """
    params = (
        lead.worker,
        epoch,
        lead.queue,
        lead.priority,
        lead.target,
        lead.attempt,
        most_attempts,
        *after,
        limit,
        most_bytes,
        visits,
    )
    return Statement(_CLAIM, params, lambda rows: _read(rows, lead.worker))


_CLAIM = """
select id, claim, attempt, crashes, max_attempts, timeout, store_result, priority, queue, target, args, labels,
       run_at, expired, alive, late, next_due, seen_at, seen_id
from pgqueue.claim_companions(
  $1::bigint, $2::int, $3::text, $4::smallint, $5::text, $6::int, $7::int, $8::timestamptz, $9::uuid, $10::int,
  $11::bigint, $12::int)
"""


def limit_keys(ids: Sequence[UUID]) -> Statement[dict[UUID, str]]:
    """The limit keys of these jobs, of those that have one. Walks jobs_pkey; O(batch log n)."""
    sql = """
    select job.id, job.limit_key from pgqueue.jobs as job
    where job.id operator(pg_catalog.=) any ($1::pg_catalog.uuid[]) and job.limit_key is not null
    """
    return Statement(sql, (list(ids),), lambda rows: {row[0]: row[1] for row in rows})


def complete(
    claims: Sequence[Claim],
    results: Sequence[str | None],
    brings: Sequence[str | None],
    note: Callable[[Collection[UUID]], None],
) -> Statement[bool]:
    """running -> succeeded for all of a batch in its task's own transaction, each with what it brings.

    `note` hears whose lease is gone.

    False if there are any: then the transaction is to be rolled back. O(batch log n).
    """
    tokens = [each.id for each in claims], [each.claim for each in claims]
    params = (claims[0].worker, *tokens, list(results), list(brings))

    def read(rows: Rows) -> bool:
        late = rows[0][0]
        note(late)
        return not late

    return Statement(_COMPLETE, params, read)


_COMPLETE = """
select pgqueue.complete_together(
  $1::bigint, $2::pg_catalog.uuid[], $3::int[], $4::pg_catalog.text[], $5::pg_catalog.text[])
"""


def _read(rows: Rows, worker: int) -> Companions:
    at, job_id = rows[-1][17:]
    return Companions(read_step(rows, worker), None if job_id is None else (at, job_id))
