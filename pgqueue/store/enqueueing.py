"""How jobs come to be: one, or a batch. Each function returns a Statement; none touches a connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from uuid import UUID

from pgqueue import encryption
from pgqueue.codec import args_of
from pgqueue.enqueued import Enqueued, Replaced
from pgqueue.ids import new_job_id
from pgqueue.job import NewJob
from pgqueue.options import Duration
from pgqueue.retry import seconds
from pgqueue.signing import Signer
from pgqueue.store import spawning
from pgqueue.store.direct import Rows
from pgqueue.store.kept_args import kept_args
from pgqueue.store.keys import check_key, key_of, says_more
from pgqueue.store.statement import Statement, nothing


def is_plain(new: NewJob) -> bool:
    """Whether nothing can stand in the way of this job: an insert does."""
    keyed = new.unique_key is not None or new.unique is not None or says_more(new) or new.is_followed
    return new.job_id is None and not keyed and new.ttl is None and new.notify in _PLAIN_NOTIFY


def enqueue(new: NewJob, headers: str | None = None, signer: Signer | None = None) -> Statement[Enqueued]:
    """(nothing) -> scheduled | ready. O(log n). Raises ArgumentError, OptionError, KeyringError.

    `headers` are written of a plain job; those of others are noted behind it (note_headers()). What a signer signs has
    them in the same statement, whatever it is.
    """
    more = says_more(new)
    if is_plain(new):
        return _enqueue_plain(new, headers, signer)
    if signer is not None:
        told = spawning.enqueue([spawning.written(new, headers, job_id=new_job_id(), signer=signer)])
        return Statement(told.sql, told.params, lambda rows: told.read(rows)[0])
    if new.is_followed:
        told = spawning.enqueue([spawning.written(new, headers, job_id=new_job_id())])
        return Statement(told.sql, told.params, lambda rows: told.read(rows)[0])
    check_key(new)
    args, job_id = args_of(new), new.job_id or new_job_id()
    params = (
        job_id,
        new.job_id is not None,
        new.name,
        kept_args(new, args, job_id),
        new.queue,
        new.priority,
        _length(new.delay),
        new.run_at,
        _length(new.ttl),
        _length(new.timeout),
        new.max_attempts,
        key_of(new, args),
        new.limit_key,
        new.store_result,
        _labels(new.labels),
    )
    if more or new.cost is not None:
        about = (new.unique_until == "start", _length(new.unique_for), new.on_conflict, _length(new.max_wait))
        return Statement(_ENQUEUE_KEYED, (*params, *about, new.cost, new.notify), _read_keyed)
    if new.notify is not None:
        return Statement(_ENQUEUE_AS, (*params, new.notify), lambda rows: Enqueued(rows[0][0], rows[0][1]))
    return Statement(_ENQUEUE, params, lambda rows: Enqueued(rows[0][0], rows[0][1]))


# Durations go as seconds: what an interval of days means depends on the session's time zone, and how one is written
# on its styles.
_JOB = """
  $1::pg_catalog.uuid, $2::boolean, $3::pg_catalog.text, $4::pg_catalog.json, $5::pg_catalog.text, $6::smallint,
  pg_catalog.make_interval(secs => $7::pg_catalog.float8), $8::pg_catalog.timestamptz,
  pg_catalog.make_interval(secs => $9::pg_catalog.float8), $10::pg_catalog.float8, $11::smallint, $12::pg_catalog.text,
  $13::pg_catalog.text, $14::boolean, $15::pg_catalog.jsonb)
"""
_ENQUEUE = f"select id, created from pgqueue.enqueue_job({_JOB}"
_ENQUEUE_AS = f"select id, created from pgqueue.enqueue_job_as($16::pg_catalog.text, {_JOB}"
_ENQUEUE_KEYED = f"""
select id, created, replaced from pgqueue.enqueue_keyed({_JOB.rstrip().removesuffix(")")},
  $16::boolean, pg_catalog.make_interval(secs => $17::pg_catalog.float8), $18::pg_catalog.text,
  pg_catalog.make_interval(secs => $19::pg_catalog.float8), $20::int, $21::pg_catalog.text)
"""
# What an insert of its own can do: as the session says, or nothing at all.
_PLAIN_NOTIFY = (None, "off")


def _enqueue_plain(new: NewJob, headers: str | None, signer: Signer | None) -> Statement[Enqueued]:
    """As the function would, for a job that nothing can stand in the way of: half of what the server has to do."""
    job_id = new_job_id()
    args = kept_args(new, args_of(new), job_id)
    if signer is not None:
        headers = signer.job(new, job_id, args, headers)
    options = (
        ("queue", new.queue),
        ("priority", new.priority),
        ("run_at", new.run_at),
        ("delay", _length(new.delay)),
        ("timeout", _length(new.timeout)),
        ("max_attempts", new.max_attempts),
        ("limit_key", new.limit_key),
        ("cost", new.cost),
        ("store_result", new.store_result),
        ("labels", _labels(new.labels)),
        ("headers", headers),
    )
    said = [option for option in options if option[1] is not None]
    names = tuple([name for name, _ in said])
    params = (job_id, new.name, args, *[value for _, value in said])
    return Statement(_insert(names, new.notify == "off"), params, lambda _rows: Enqueued(job_id, True))


@cache
def _insert(names: tuple[str, ...], quiet: bool) -> str:
    """The insert of a job with these options; the table's defaults are those of all others."""
    columns = ["id", "target", "args", *("run_at" if name == "delay" else name for name in names)]
    values = ["$1::pg_catalog.uuid", "$2::pg_catalog.text", "$3::pg_catalog.json"]
    values += [_VALUES[name].format(f"${number}") for number, name in enumerate(names, 4)]
    if "limit_key" in names:
        # Where it waits; in line at once, if it is due by the table's default.
        columns += ["lane", "lined"]
        values.append(f"pgqueue.lane_of(${4 + names.index('limit_key')}::pg_catalog.text, $2::pg_catalog.text)")
        values.append("null" if {"run_at", "delay"} & set(names) else "true")
    insert = f"insert into pgqueue.jobs ({', '.join(columns)}) values ({', '.join(values)})"
    return insert if quiet else f"{insert} {_WAKING}"


_VALUES = {
    "queue": "{}::pg_catalog.text",
    "priority": "{}::smallint",
    "run_at": "{}::pg_catalog.timestamptz",
    "delay": "pg_catalog.clock_timestamp() operator(pg_catalog.+)"
    " pg_catalog.make_interval(secs => {}::pg_catalog.float8)",
    "timeout": "{}::pg_catalog.float8",
    "max_attempts": "{}::smallint",
    "limit_key": "{}::pg_catalog.text",
    "cost": "{}::int",
    "store_result": "{}::boolean",
    "labels": "{}::pg_catalog.jsonb",
    "headers": "{}::pg_catalog.json",
}
_WAKING = """
returning case when run_at operator(pg_catalog.<=)
                   (pg_catalog.clock_timestamp() operator(pg_catalog.+) interval '10 seconds')
                 and pgqueue.is_heard(queue)
            then pgqueue.wake(queue) end
"""


def enqueue_many(new_jobs: Sequence[NewJob], args: Sequence[str] | None = None) -> Statement[list[UUID]]:
    """(nothing) -> scheduled | ready, for a batch of one `notify`; answers the ids in order. O(batch log n).

    `args` are the jobs' arguments as texts, if they have been encoded already. Raises ArgumentError.
    """
    if any(new.is_followed for new in new_jobs):
        told = spawning.enqueue([spawning.written(new, job_id=new_job_id()) for new in new_jobs])
        return Statement(told.sql, told.params, lambda rows: [made.id for made in told.read(rows)])
    args = [args_of(new) for new in new_jobs] if args is None else args
    ids = [new.job_id or new_job_id() for new in new_jobs]
    params = (
        ids,
        [new.job_id is not None for new in new_jobs],
        [new.name for new in new_jobs],
        list(map(kept_args, new_jobs, args, ids)) if encryption.is_on() else args,
        [new.queue for new in new_jobs],
        [new.priority for new in new_jobs],
        [_length(new.delay) for new in new_jobs],
        [new.run_at for new in new_jobs],
        [_length(new.ttl) for new in new_jobs],
        [_length(new.timeout) for new in new_jobs],
        [new.max_attempts for new in new_jobs],
        [key_of(new, text) for new, text in zip(new_jobs, args, strict=True)],
        [new.limit_key for new in new_jobs],
        [new.store_result for new in new_jobs],
        [_labels(new.labels) for new in new_jobs],
    )
    notify = new_jobs[0].notify if new_jobs else None
    if any(says_more(new) or new.cost is not None for new in new_jobs):
        about = (
            [new.unique_until == "start" for new in new_jobs],
            [_length(new.unique_for) for new in new_jobs],
            [new.on_conflict for new in new_jobs],
            [_length(new.max_wait) for new in new_jobs],
            [new.cost for new in new_jobs],
        )
        return Statement(_ENQUEUE_MANY_KEYED, (*params, *about, notify), lambda rows: [row[0] for row in rows])
    if notify is not None:
        return Statement(_ENQUEUE_MANY_AS, (*params, notify), lambda rows: [row[0] for row in rows])
    return Statement(_ENQUEUE_MANY, params, lambda rows: [row[0] for row in rows])


_JOBS = """
  $1::pg_catalog.uuid[], $2::boolean[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[],
  $6::smallint[], $7::pg_catalog.float8[], $8::pg_catalog.timestamptz[], $9::pg_catalog.float8[],
  $10::pg_catalog.float8[], $11::smallint[], $12::pg_catalog.text[], $13::pg_catalog.text[], $14::boolean[],
  $15::pg_catalog.text[]) as id
"""
_ENQUEUE_MANY = f"select id from pgqueue.enqueue_jobs({_JOBS}"
_ENQUEUE_MANY_AS = f"select id from pgqueue.enqueue_jobs_as($16::pg_catalog.text, {_JOBS}"
_ENQUEUE_MANY_KEYED = f"""
select id from pgqueue.enqueue_keyed_jobs({_JOBS.rstrip().removesuffix(") as id")},
  $16::boolean[], $17::pg_catalog.float8[], $18::pg_catalog.text[], $19::pg_catalog.float8[], $20::int[],
  $21::pg_catalog.text)
  as id
"""


def note_headers(ids: Sequence[UUID], headers: Sequence[str]) -> Statement[None]:
    """Who caused these jobs, of those that have none and still wait. O(batch log n)."""
    return Statement(_NOTE_HEADERS, (list(ids), list(headers)), nothing)


_NOTE_HEADERS = "select pgqueue.note_headers($1::pg_catalog.uuid[], $2::pg_catalog.text[])"


def _read_keyed(rows: Rows) -> Enqueued:
    job_id, created, replaced = rows[0]
    return (Replaced if replaced else Enqueued)(job_id, created)


def _length(duration: Duration | None) -> float | None:
    return None if duration is None else seconds(duration)


def _labels(labels: Mapping[str, str] | None) -> str | None:
    return None if labels is None else json.dumps(dict(labels), ensure_ascii=False)
