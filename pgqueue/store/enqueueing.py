"""How jobs come to be: one, or a batch. Each function returns a Statement; none touches a connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from uuid import UUID

from pgqueue.codec import encode_args
from pgqueue.job import Enqueued, NewJob, new_job_id
from pgqueue.retry import seconds
from pgqueue.store.statement import Statement


def enqueue(new: NewJob) -> Statement[Enqueued]:
    """(nothing) -> scheduled | ready. O(log n)."""
    if new.job_id is None and new.unique_key is None and new.ttl is None:
        return _enqueue_plain(new)
    timeout = None if new.timeout is None else seconds(new.timeout)
    params = (
        new.job_id or new_job_id(),
        new.job_id is not None,
        new.name,
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
  $1::pg_catalog.uuid, $2::boolean, $3::pg_catalog.text, $4::pg_catalog.json, $5::pg_catalog.text, $6::smallint,
  $7::interval, $8::pg_catalog.timestamptz, $9::interval, $10::pg_catalog.float8, $11::smallint, $12::pg_catalog.text,
  $13::pg_catalog.text, $14::boolean, $15::pg_catalog.jsonb)
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
    params = (job_id, new.name, encode_args(new.args), *[value for _, value in said])
    return Statement(_insert(names), params, lambda _rows: Enqueued(job_id, True))


@cache
def _insert(names: tuple[str, ...]) -> str:
    """The insert of a job with these options; the table's defaults are those of all others."""
    columns = ["id", "target", "args", *("run_at" if name == "delay" else name for name in names)]
    values = ["$1::pg_catalog.uuid", "$2::pg_catalog.text", "$3::pg_catalog.json"]
    values += [_VALUES[name].format(f"${number}") for number, name in enumerate(names, 4)]
    return f"insert into pgqueue.jobs ({', '.join(columns)}) values ({', '.join(values)}) {_WAKING}"


_VALUES = {
    "queue": "{}::pg_catalog.text",
    "priority": "{}::smallint",
    "run_at": "{}::pg_catalog.timestamptz",
    "delay": "pg_catalog.clock_timestamp() operator(pg_catalog.+) {}::interval",
    "timeout": "{}::pg_catalog.float8",
    "max_attempts": "{}::smallint",
    "limit_key": "{}::pg_catalog.text",
    "store_result": "{}::boolean",
    "labels": "{}::pg_catalog.jsonb",
}
_WAKING = """
returning case when run_at operator(pg_catalog.<=)
                   (pg_catalog.clock_timestamp() operator(pg_catalog.+) interval '10 seconds')
                 and pgqueue.is_heard(queue)
            then pgqueue.wake(queue) end
"""


def enqueue_many(new_jobs: Sequence[NewJob]) -> Statement[list[UUID]]:
    """(nothing) -> scheduled | ready, for a batch; answers the ids in order. O(batch log n)."""
    params = (
        [new.job_id or new_job_id() for new in new_jobs],
        [new.job_id is not None for new in new_jobs],
        [new.name for new in new_jobs],
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
  $1::pg_catalog.uuid[], $2::boolean[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[],
  $6::smallint[], $7::pg_catalog.float8[], $8::pg_catalog.timestamptz[], $9::pg_catalog.float8[],
  $10::pg_catalog.float8[], $11::smallint[], $12::pg_catalog.text[], $13::pg_catalog.text[], $14::boolean[],
  $15::pg_catalog.text[]) as id
"""


def _interval(duration: float | timedelta | None) -> timedelta | None:
    return timedelta(seconds=duration) if isinstance(duration, int | float) else duration


def _labels(labels: Mapping[str, str] | None) -> str | None:
    return None if labels is None else json.dumps(dict(labels), ensure_ascii=False)
