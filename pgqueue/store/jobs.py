"""Every move a job makes, in the order of its life. Each function returns a Statement; none touches a connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pgqueue.codec import encode_args
from pgqueue.job import Attempt, Claim, Enqueued, Job, JobState, NewJob, new_job_id
from pgqueue.outcome import Settlement
from pgqueue.retry import seconds
from pgqueue.store.statement import Rows, Statement, only_value, query


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
    claimed. `now` is the database's clock; `next_due` is when the next job falls due, if the batch came back short.
    """

    claims: list[Claim]
    expired: list[Claim]
    late: frozenset[UUID]
    alive: bool
    now: datetime
    next_due: datetime | None


def enqueue(new: NewJob) -> Statement[Enqueued]:
    """(nothing) -> scheduled | ready. O(log n)."""
    if new.job_id is None and new.unique_key is None and new.ttl is None:
        return _enqueue_plain(new)
    timeout = None if new.timeout is None else seconds(new.timeout)
    params = (
        new.job_id or new_job_id(),
        new.job_id is not None,
        new.target,
        encode_args(new.args),
        new.queue,
        new.priority,
        _interval(new.delay),
        new.run_at,
        _interval(new.ttl),
        timeout,
        new.max_attempts,
        new.unique_key,
        new.limit_key,
        new.store_result,
        _labels(new.labels),
    )
    return Statement(_ENQUEUE, params, lambda rows: Enqueued(rows[0][0], rows[0][1]))


_ENQUEUE = """
select id, created
from pgqueue.enqueue_job(
  $1::uuid, $2::boolean, $3::text, $4::json, $5::text, $6::smallint, $7::interval, $8::timestamptz, $9::interval,
  $10::float8, $11::smallint, $12::text, $13::text, $14::boolean, $15::jsonb)
"""


def _enqueue_plain(new: NewJob) -> Statement[Enqueued]:
    """As the function would, for a job that nothing can stand in the way of: a third less for the server to do."""
    job_id = new_job_id()
    params = (
        job_id,
        new.target,
        encode_args(new.args),
        new.queue,
        new.priority,
        new.run_at,
        _interval(new.delay),
        None if new.timeout is None else seconds(new.timeout),
        new.max_attempts,
        new.limit_key,
        new.store_result,
        _labels(new.labels),
    )
    return Statement(_ENQUEUE_PLAIN, params, lambda _rows: Enqueued(job_id, True))


_ENQUEUE_PLAIN = """
insert into pgqueue.jobs (id, target, args, queue, priority, run_at, timeout, max_attempts, limit_key, store_result,
                          labels)
values ($1::uuid, $2::text, $3::json, coalesce($4::text, 'default'), coalesce($5::smallint, 5::smallint),
        coalesce($6::timestamptz, clock_timestamp() + coalesce($7::interval, '0')), $8::float8, $9::smallint,
        $10::text, $11::boolean, $12::jsonb)
returning case when run_at <= clock_timestamp() + interval '10 seconds' then pgqueue.wake(queue) end
"""


def enqueue_many(new_jobs: Sequence[NewJob]) -> Statement[list[UUID]]:
    """(nothing) -> scheduled | ready, for a batch; answers the ids in order. O(batch log n)."""
    params = (
        [new.job_id or new_job_id() for new in new_jobs],
        [new.job_id is not None for new in new_jobs],
        [new.target for new in new_jobs],
        [encode_args(new.args) for new in new_jobs],
        [new.queue for new in new_jobs],
        [new.priority for new in new_jobs],
        [None if new.delay is None else seconds(new.delay) for new in new_jobs],
        [new.run_at for new in new_jobs],
        [None if new.ttl is None else seconds(new.ttl) for new in new_jobs],
        [None if new.timeout is None else seconds(new.timeout) for new in new_jobs],
        [new.max_attempts for new in new_jobs],
        [new.unique_key for new in new_jobs],
        [new.limit_key for new in new_jobs],
        [new.store_result for new in new_jobs],
        [_labels(new.labels) for new in new_jobs],
    )
    return Statement(_ENQUEUE_MANY, params, lambda rows: [row[0] for row in rows])


_ENQUEUE_MANY = """
select id
from pgqueue.enqueue_jobs(
  $1::uuid[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::float8[], $8::timestamptz[],
  $9::float8[], $10::float8[], $11::smallint[], $12::text[], $13::text[], $14::boolean[], $15::text[]) as id
"""


def step(
    worker: int, done: Sequence[Settlement], slots: Sequence[Slot], lag: timedelta, limit: int, epoch: int = 0
) -> Statement[Step]:
    """running -> succeeded for `done`, and ready -> running for at most `limit` jobs of `slots`: one round trip.

    Nothing is claimed once disown() has begun a later epoch.
    """
    stored = [settlement for settlement in done if settlement.result is not None]
    params = (
        worker,
        [settlement.id for settlement in done],
        [settlement.claim for settlement in done],
        [settlement.id for settlement in stored],
        [settlement.result for settlement in stored],
        [slot.queue for slot in slots],
        [slot.priority for slot in slots],
        [slot.after for slot in slots],
        [slot.after_id for slot in slots],
        lag,
        limit,
        epoch,
    )
    return Statement(_STEP, params, lambda rows: _read_step(rows, worker))


_STEP = """
select id, claim, attempt, crashes, max_attempts, timeout, store_result, priority, queue, target, args, labels,
       run_at, expired, alive, late, next_due
from pgqueue.step(
  $1::bigint, $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::smallint[], $8::timestamptz[],
  $9::uuid[], $10::interval, $11::int, $12::int)
"""


def _read_step(rows: Rows, worker: int) -> Step:
    header = rows[-1]
    fresh = [row for row in rows[:-1] if not row[13]]
    stale = [row for row in rows[:-1] if row[13]]
    return Step(
        claims=[Claim._make((*row[:13], worker)) for row in fresh],
        expired=[Claim._make((*row[:13], worker)) for row in stale],
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
    )
    return Statement(_FAIL, params, _read_late)


_FAIL = """
select pgqueue.fail(
  $1::bigint, $2::uuid[], $3::int[], $4::text[], $5::float8[], $6::text[], $7::text[], $8::text[], $9::text[])
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
select job.id
from unnest($2::uuid[], $3::int[]) as told (id, claim)
join pgqueue.jobs as job on job.id = told.id and job.claim = told.claim and job.worker = $1::bigint
"""


def late(worker: int, settlements: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """Record attempts that found out by themselves that their lease was gone; answers their ids."""
    params = (worker, [settlement.id for settlement in settlements], [settlement.claim for settlement in settlements])
    return Statement("select pgqueue.record_late($1::bigint, $2::uuid[], $3::int[], 'stopped')", params, _read_late)


def complete(claim: Claim, result: str | None) -> Statement[bool]:
    """running -> succeeded in the task's own transaction; False if the lease is gone. O(log n)."""
    params = (claim.worker, claim.id, claim.claim, result)
    return Statement("select pgqueue.complete($1::bigint, $2::uuid, $3::int, $4::text)", params, only_value)


def cancel(job_id: UUID) -> Statement[JobState | None]:
    """scheduled | ready | retrying -> cancelled; answers the state after it, None if there is no such job.

    A running job is not wanted any more either: its worker is told, and it will not run again.
    """
    return Statement("select pgqueue.cancel($1::uuid)", (job_id,), _read_state)


def retry(job_id: UUID) -> Statement[JobState | None]:
    """dead -> ready; answers the state after it, None if there is no such job."""
    return Statement("select pgqueue.retry($1::uuid)", (job_id,), _read_state)


def disown(worker: int, known: Sequence[Claim], epoch: int) -> Statement[int]:
    """running -> ready for what `worker` holds without knowing it; answers how many. Begins `epoch`. Scans jobs."""
    params = (worker, epoch, [claim.id for claim in known], [claim.claim for claim in known])
    return Statement("select pgqueue.disown($1::bigint, $2::int, $3::uuid[], $4::int[])", params, only_value)


def claim_one(worker: int, job_id: UUID) -> Statement[Claim | None]:
    """scheduled | ready | retrying -> running for one job; None if it does not wait, or the lease is gone. O(log n)."""
    return Statement(_CLAIM_ONE, (worker, job_id), lambda rows: Claim._make((*rows[0], worker)) if rows else None)


_CLAIM_ONE = """
select id, claim, attempt, crashes, max_attempts, timeout, store_result, priority, queue, target, args, labels, run_at
from pgqueue.claim_job($1::bigint, $2::uuid)
"""


def get(job_id: UUID) -> Statement[Job | None]:
    """One job in whatever state; None if there is none. Walks primary keys."""
    return Statement(query("job"), (job_id,), lambda rows: _job(rows[0]) if rows else None)


def listing(
    *, states: Sequence[JobState], queue: str | None, target: str | None, limit: int, before: UUID | None = None
) -> Statement[list[Job]]:
    """Jobs in `states`, newest id first, at most `limit`, below `before` to page on."""
    params = (list(states), queue, target, before, limit)
    return Statement(query("jobs"), params, lambda rows: [_job(row) for row in rows])


def attempts(job_id: UUID) -> Statement[list[Attempt]]:
    """The ended attempts of a job, oldest first. Walks attempts_pkey."""
    return Statement(query("attempts"), (job_id,), lambda rows: [Attempt(*row) for row in rows])


def result(job_id: UUID) -> Statement[tuple[bool, Any]]:
    """Whether a result is stored, and which. Walks results_pkey."""
    sql = "select result::text from pgqueue.results where job_id = $1::uuid and expires_at > now()"
    return Statement(sql, (job_id,), lambda rows: (bool(rows), json.loads(rows[0][0]) if rows else None))


def _read_late(rows: Rows) -> frozenset[UUID]:
    return frozenset(rows[0][0] or ())


def _read_state(rows: Rows) -> JobState | None:
    return None if rows[0][0] is None else JobState(rows[0][0])


def _job(row: Sequence[Any]) -> Job:
    values = list(row)
    values[3] = _load(row[3])
    values[4] = JobState(row[4])
    values[15] = _load(row[15])
    return Job(*values)


def _load(text: str | None) -> Any:
    """JSON as a value; as the text it is, where Python cannot read it."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text


def _interval(duration: float | timedelta | None) -> timedelta | None:
    return timedelta(seconds=duration) if isinstance(duration, int | float) else duration


def _labels(labels: Mapping[str, str] | None) -> str | None:
    return None if labels is None else json.dumps(dict(labels), ensure_ascii=False)
