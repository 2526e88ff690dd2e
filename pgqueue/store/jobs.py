"""Every move of a job that exists, in the order of its life. Each function returns a Statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pgqueue.job import Claim, JobState
from pgqueue.outcome import Settlement
from pgqueue.store.arrays import array_as_text, ids_as_text, quoted
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, nothing, only_value

# What one step claims amounts to no more than this, and to one job.
MOST_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Slot:
    """One queue at one priority, and the lower bound behind which its claim begins."""

    queue: str
    priority: int
    after: datetime
    after_id: UUID


@dataclass(frozen=True, slots=True)
class Step:
    """What a step answers: the next claims, the ids that were late, and when to ask again.

    `expired` are claims past their ttl. `alive` is whether the worker's lease still stands; if not, nothing was
    claimed. `now` is the database's clock; `next_due` is when the next job falls due, if nothing was claimed.
    """

    claims: list[Claim]
    expired: list[Claim]
    late: frozenset[UUID]
    alive: bool
    now: datetime
    next_due: datetime | None


def step(
    worker: int,
    done: Sequence[Settlement],
    slots: Sequence[Slot],
    lag: timedelta,
    limit: int,
    epoch: int = 0,
    *,
    most_bytes: int = MOST_BYTES,
    ordered: bool = False,
) -> Statement[Step]:
    """running -> succeeded for `done`, and ready -> running for at most `limit` jobs of `slots`: one round trip.

    No more is claimed once their arguments amount to `most_bytes`, but always one. `ordered` slots are claimed from in
    their order; otherwise their heads decide. Nothing is claimed once disown() has begun a later epoch.
    """
    stored = [settlement for settlement in done if settlement.result is not None]
    params = (
        worker,
        ids_as_text([settlement.id for settlement in done]),
        array_as_text([str(settlement.claim) for settlement in done]),
        ids_as_text([settlement.id for settlement in stored]),
        [settlement.result for settlement in stored] if stored else "{}",
        array_as_text([quoted(slot.queue) for slot in slots]),
        array_as_text([str(slot.priority) for slot in slots]),
        array_as_text([slot.after.isoformat() for slot in slots]),
        ids_as_text([slot.after_id for slot in slots]),
        lag,
        limit,
        epoch,
        most_bytes,
        ordered,
    )
    return Statement(_STEP, params, lambda rows: read_step(rows, worker))


_STEP = """
select id, claim, attempt, crashes, max_attempts, timeout, store_result, priority, queue, target, args, labels,
       run_at, expired, alive, late, next_due
from pgqueue.step(
  $1::bigint, $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::smallint[], $8::timestamptz[],
  $9::uuid[], $10::interval, $11::int, $12::int, $13::bigint,
  $14::boolean)
"""


def read_step(rows: Rows, worker: int) -> Step:
    """The claims of a step, and its header, which is the last row."""
    header = rows[-1]
    # What Claim._make() does, without a call of Python's own for each.
    return Step(
        claims=[tuple.__new__(Claim, (*row[:13], worker, None, None, None)) for row in rows[:-1] if not row[13]],
        expired=[tuple.__new__(Claim, (*row[:13], worker, None, None, None)) for row in rows[:-1] if row[13]],
        late=frozenset(header[15] or ()),
        alive=header[14],
        now=header[12],
        next_due=header[16],
    )


def fail(worker: int, failures: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """running -> retrying | dead | cancelled; answers the ids that were late. O(batch log n)."""
    params = (
        worker,
        [failure.id for failure in failures],
        [failure.claim for failure in failures],
        [failure.outcome for failure in failures],
        [float(failure.delay) if failure.move == "retry" else None for failure in failures],
        [failure.reason for failure in failures],
        [failure.error_type for failure in failures],
        [failure.error for failure in failures],
        [failure.traceback for failure in failures],
        [failure.cause for failure in failures],
    )
    return Statement(_FAIL, params, _read_late)


_FAIL = """
select pgqueue.fail(
  $1::bigint, $2::uuid[], $3::int[], $4::text[], $5::float8[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[])
"""


def fall_back(worker: int, failures: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """running -> ready under another target, or -> manual; answers the ids that were late. O(batch log n)."""
    params = (
        worker,
        [failure.id for failure in failures],
        [failure.claim for failure in failures],
        [failure.outcome for failure in failures],
        [failure.fallback for failure in failures],
        [failure.reason for failure in failures],
        [failure.error_type for failure in failures],
        [failure.error for failure in failures],
        [failure.traceback for failure in failures],
        [failure.cause for failure in failures],
    )
    return Statement(_FALL_BACK, params, _read_late)


_FALL_BACK = """
select pgqueue.fall_back(
  $1::bigint, $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[])
"""


def release(worker: int, released: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """running -> waiting, with the attempt given back; answers the ids that were late. O(batch log n)."""
    params = (
        worker,
        [settlement.id for settlement in released],
        [settlement.claim for settlement in released],
        [float(settlement.delay) for settlement in released],
        [settlement.started for settlement in released],
        [settlement.avoid for settlement in released],
        [settlement.error_type for settlement in released],
        [settlement.error for settlement in released],
        [settlement.traceback for settlement in released],
    )
    return Statement(_RELEASE, params, _read_late)


_RELEASE = """
select pgqueue.release(
  $1::bigint, $2::uuid[], $3::int[], $4::float8[], $5::boolean[], $6::boolean[], $7::text[], $8::text[], $9::text[])
"""


def standing(worker: int, settlements: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """Which of these attempts still have their lease. Walks jobs_pkey; O(batch log n)."""
    params = (worker, [settlement.id for settlement in settlements], [settlement.claim for settlement in settlements])
    return Statement(_STANDING, params, lambda rows: frozenset(row[0] for row in rows))


_STANDING = """
select told.id
from unnest($2::uuid[], $3::int[]) as told (id, claim)
cross join lateral (
  select from pgqueue.jobs as held
  where held.id = told.id and held.claim = told.claim and held.worker = $1::bigint offset 0) as job
"""


def late(worker: int, settlements: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """Record attempts that found out by themselves that their lease was gone; answers their ids."""
    params = (worker, [settlement.id for settlement in settlements], [settlement.claim for settlement in settlements])
    return Statement("select pgqueue.record_late($1::bigint, $2::uuid[], $3::int[], 'stopped')", params, _read_late)


def complete(claim: Claim, result: str | None, brings: str | None = None) -> Statement[bool]:
    """running -> succeeded in the task's own transaction, with what it brings; False if the lease is gone. O(log n)."""
    if brings is not None:
        return succeeding(claim.worker, claim.id, claim.claim, result, brings)
    params = (claim.worker, claim.id, claim.claim, result)
    return Statement(_COMPLETE, params, only_value)


_COMPLETE = "select pgqueue.complete($1::bigint, $2::pg_catalog.uuid, $3::int, $4::pg_catalog.text)"


def succeed(worker: int, success: Settlement) -> Statement[bool]:
    """running -> succeeded together with all that it brings, in one transaction; False if it was late. O(log n)."""
    return succeeding(worker, success.id, success.claim, success.result, success.brings or "{}")


def succeeding(worker: int, job_id: UUID, claim: int, result: str | None, brings: str) -> Statement[bool]:
    """As succeed(), by the token."""
    return Statement(_SUCCEED, (worker, job_id, claim, result, brings), only_value)


_SUCCEED = """
select pgqueue.succeed($1::bigint, $2::pg_catalog.uuid, $3::int, $4::pg_catalog.text, $5::pg_catalog.json)
"""


def cancel(job_id: UUID) -> Statement[JobState | None]:
    """scheduled | ready | retrying -> cancelled; answers the state after it, None if there is no such job.

    A running job is not wanted any more either: its worker is told, and it will not run again.
    """
    return Statement("select pgqueue.cancel($1::pg_catalog.uuid)", (job_id,), _read_state)


def retry(job_id: UUID) -> Statement[JobState | None]:
    """dead -> ready; answers the state after it, None if there is no such job."""
    return Statement("select pgqueue.retry($1::pg_catalog.uuid)", (job_id,), _read_state)


def disown(worker: int, known: Sequence[Claim], epoch: int) -> Statement[int]:
    """running -> ready for what `worker` holds without knowing it; answers how many. Begins `epoch`. Scans jobs."""
    params = (worker, epoch, [claim.id for claim in known], [claim.claim for claim in known])
    return Statement("select pgqueue.disown($1::bigint, $2::int, $3::uuid[], $4::int[])", params, only_value)


def note_attempts(settlements: Sequence[Settlement]) -> Statement[None]:
    """What the next attempts at these jobs are to find among their headers, as long as they wait. O(batch log n)."""
    sql = """
    update pgqueue.jobs as job set headers = noted.headers::pg_catalog.json
    from rows from (pg_catalog.unnest($1::pg_catalog.uuid[]), pg_catalog.unnest($2::pg_catalog.int4[]),
                    pg_catalog.unnest($3::pg_catalog.text[])) as noted (id, claim, headers)
    where job.id operator(pg_catalog.=) noted.id and job.claim operator(pg_catalog.=) noted.claim and job.worker is null
    """
    params = ([each.id for each in settlements], [each.claim for each in settlements])
    return Statement(sql, (*params, [each.headers for each in settlements]), nothing)


def headers(ids: Sequence[UUID]) -> Statement[dict[UUID, str]]:
    """Who caused these jobs, of those that say so. Walks jobs_pkey; O(batch log n)."""
    sql = """
    select job.id, job.headers::pg_catalog.text from pgqueue.jobs as job
    where job.id operator(pg_catalog.=) any ($1::pg_catalog.uuid[]) and job.headers is not null
    """
    return Statement(sql, (list(ids),), lambda rows: {row[0]: row[1] for row in rows})


def claim_one(worker: int, job_id: UUID) -> Statement[Claim | None]:
    """scheduled | ready | retrying -> running for one job; None if it does not wait, or the lease is gone. O(log n)."""
    return Statement(
        _CLAIM_ONE, (worker, job_id), lambda rows: Claim._make((*rows[0], worker, None, None, None)) if rows else None
    )


_CLAIM_ONE = """
select id, claim, attempt, crashes, max_attempts, timeout, store_result, priority, queue, target, args, labels, run_at
from pgqueue.claim_job($1::bigint, $2::uuid)
"""


def _read_late(rows: Rows) -> frozenset[UUID]:
    return frozenset(rows[0][0] or ())


def _read_state(rows: Rows) -> JobState | None:
    return None if rows[0][0] is None else JobState(rows[0][0])
