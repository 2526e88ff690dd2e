"""Every move a job makes, in the order of its life. Each function returns a Statement; none touches a connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from pgqueue.codec import encode_args
from pgqueue.job import Attempt, Claim, Enqueued, Job, JobState, NewJob, new_job_id
from pgqueue.outcome import Settlement
from pgqueue.retry import seconds
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, only_value, query


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
    """As the function would, for a job that nothing can stand in the way of: half of what the server has to do."""
    job_id = new_job_id()
    options = (
        ("queue", new.queue),
        ("priority", new.priority),
        ("run_at", new.run_at),
        ("delay", _interval(new.delay)),
        ("timeout", None if new.timeout is None else seconds(new.timeout)),
        ("max_attempts", new.max_attempts),
        ("limit_key", new.limit_key),
        ("store_result", new.store_result),
        ("labels", _labels(new.labels)),
    )
    said = [option for option in options if option[1] is not None]
    names = tuple([name for name, _ in said])
    params = (job_id, new.target, encode_args(new.args), *[value for _, value in said])
    return Statement(_insert(names), params, lambda _rows: Enqueued(job_id, True))


@cache
def _insert(names: tuple[str, ...]) -> str:
    """The insert of a job with these options; the table's defaults are those of all others."""
    columns = ["id", "target", "args", *("run_at" if name == "delay" else name for name in names)]
    values = ["$1::uuid", "$2::text", "$3::json"]
    values += [_VALUES[name].format(f"${number}") for number, name in enumerate(names, 4)]
    return f"insert into pgqueue.jobs ({', '.join(columns)}) values ({', '.join(values)}) {_WAKING}"


_VALUES = {
    "queue": "{}::text",
    "priority": "{}::smallint",
    "run_at": "{}::timestamptz",
    "delay": "clock_timestamp() + {}::interval",
    "timeout": "{}::float8",
    "max_attempts": "{}::smallint",
    "limit_key": "{}::text",
    "store_result": "{}::boolean",
    "labels": "{}::jsonb",
}
_WAKING = """
returning case when run_at <= clock_timestamp() + interval '10 seconds' and pgqueue.is_heard(queue)
            then pgqueue.wake(queue) end
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
        ids_as_text([settlement.id for settlement in done]),
        array_as_text([str(settlement.claim) for settlement in done]),
        ids_as_text([settlement.id for settlement in stored]),
        [settlement.result for settlement in stored] if stored else "{}",
        array_as_text([_quoted(slot.queue) for slot in slots]),
        array_as_text([str(slot.priority) for slot in slots]),
        array_as_text([slot.after.isoformat() for slot in slots]),
        ids_as_text([slot.after_id for slot in slots]),
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


def array_as_text(texts: Sequence[str]) -> str:
    """An array as the text that PostgreSQL reads: for many values a fifth of what adapting each of them costs."""
    return f"{{{','.join(texts)}}}"


def ids_as_text(ids: Sequence[UUID]) -> str:
    """As array_as_text(), for ids."""
    return array_as_text([f"{each.int:032x}" for each in ids])


@cache
def _quoted(name: str) -> str:
    escaped = name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


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
