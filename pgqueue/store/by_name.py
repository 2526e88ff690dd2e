"""Claims by name: which jobs are due is asked first, so that one whose row is refused can be passed by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from pgqueue.outcome import Reason
from pgqueue.store.arrays import array_as_text, ids_as_text, quoted
from pgqueue.store.jobs import MOST_BYTES, Slot, Step, read_step
from pgqueue.store.statement import Statement, only_value


def due(
    worker: int, slots: Sequence[Slot], lag: timedelta, limit: int, passed_by: Sequence[UUID]
) -> Statement[list[UUID]]:
    """The jobs that a claim by `worker` could have now, in its order; locks none. O(slots log n + limit)."""
    params = (
        worker,
        *_named(slots),
        array_as_text([slot.after.isoformat() for slot in slots]),
        ids_as_text([slot.after_id for slot in slots]),
        lag,
        limit,
        MOST_BYTES,
        ids_as_text(passed_by),
    )
    return Statement(_DUE, params, lambda rows: [row[0] for row in rows])


_DUE = """
select due.id from pgqueue.due(
  $1::bigint, $2::text[], $3::smallint[], $4::timestamptz[], $5::uuid[], $6::interval, $7::int, $8::bigint,
  $9::uuid[]) as due (id)
"""


def claim(worker: int, ids: Sequence[UUID], slots: Sequence[Slot], epoch: int) -> Statement[Step]:
    """ready -> running for those of these jobs that still wait. O(batch log n)."""
    params = (worker, ids_as_text(ids), *_named(slots), epoch)
    return Statement(_CLAIM, params, lambda rows: read_step(rows, worker))


_CLAIM = """
select id, claim, attempt, crashes, max_attempts, timeout, store_result, priority, queue, target, args, labels,
       run_at, expired, alive, late, next_due
from pgqueue.claim_named($1::bigint, $2::uuid[], $3::text[], $4::smallint[], $5::int)
"""


def bury(job_id: UUID, error_type: str, error: str) -> Statement[bool]:
    """ready -> dead for a job whose row cannot be claimed; False if it does not wait. O(log n)."""
    sql = "select pgqueue.bury_waiting($1::uuid, $2::text, $3::text, $4::text)"
    return Statement(sql, (job_id, str(Reason.UNWRITABLE), error_type, error), only_value)


def _named(slots: Sequence[Slot]) -> tuple[str, str]:
    return array_as_text([quoted(slot.queue) for slot in slots]), array_as_text([str(slot.priority) for slot in slots])
