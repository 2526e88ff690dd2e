"""New jobs as JSON, for the functions that enqueue them later, or as children: see enqueue_new.sql."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pgqueue.codec import args_of
from pgqueue.enqueued import Enqueued, Replaced
from pgqueue.errors import OptionError
from pgqueue.ids import new_job_id
from pgqueue.job import MOST_FOLLOW_UPS, NewJob
from pgqueue.options import Duration
from pgqueue.retry import seconds
from pgqueue.signing import Signer
from pgqueue.store.direct import Rows
from pgqueue.store.kept_args import kept_args
from pgqueue.store.keys import check_key, key_of
from pgqueue.store.statement import Statement, nothing

# Which end each option waits for, as the database calls it.
AWAITED = {"on_success": "succeeded", "on_failure": "dead", "on_end": "end"}
_DURATIONS = {"delay": "delay", "ttl": "ttl", "timeout": "timeout", "unique_for": "taken_for", "max_wait": "max_wait"}
_AS_THEY_ARE = ("queue", "priority", "max_attempts", "limit_key", "store_result", "on_conflict", "cost", "notify")


def written(
    new: NewJob,
    headers: str | None = None,
    *,
    job_id: UUID | None = None,
    kept: str | None = None,
    signer: Signer | None = None,
) -> str:
    """A job whose target is named as JSON, under this id where it is to have one, and signed there by a signer.

    `kept` are its arguments, if they have been written already. Raises ArgumentError, OptionError, EncryptionError,
    KeyringError.
    """
    check_key(new)
    args, own_id = args_of(new), new.job_id or job_id
    kept = kept_args(new, args, own_id) if kept is None else kept
    if signer is not None and own_id is not None:
        headers = signer.job(new, own_id, kept, headers)
    return _written(new, args, kept, headers, own_id, None, followed_by(new, own_id, signer))


def member_written(new: NewJob, kept: str, headers: str | None, job_id: UUID, signer: Signer | None) -> str:
    """As written(), of a job whose headers are signed already; only what follows it is signed."""
    check_key(new)
    return _written(new, args_of(new), kept, headers, job_id, None, followed_by(new, job_id, signer))


def follow_up_written(
    new: NewJob, awaited: str, parent: UUID | None = None, signer: Signer | None = None, *, declared: bool = False
) -> str:
    """A job that is to follow an end of another one, as JSON; as written().

    What code has `declared` is the same in all processes, and nobody's secret.
    """
    check_key(new)
    args = args_of(new)
    kept = args if declared else kept_args(new, args, new.job_id)
    headers = None
    if signer is not None and parent is not None:
        if new.is_followed:
            raise OptionError(
                f"{new.name} follows a job, and is followed itself, by jobs that cannot be signed now: nobody knows its"
                " id yet. Let its task say what follows it: @task(on_success=...)"
            )
        headers = signer.follow_up(new, parent, awaited, kept)
    return _written(new, args, kept, headers, new.job_id, awaited, followed_by(new, declared=declared))


def _written(
    new: NewJob,
    args: str,
    kept: str,
    headers: str | None,
    job_id: UUID | None,
    awaited: str | None,
    follow_ups: str | None,
) -> str:
    said: dict[str, Any] = {"target": new.name}
    if awaited is not None:
        said["on"] = awaited
    if job_id is not None:
        said["id"] = str(job_id)
    if new.job_id is not None:
        said["given"] = True
    said |= {name: value for name in _AS_THEY_ARE if (value := getattr(new, name)) is not None}
    said |= {column: _length(value) for name, column in _DURATIONS.items() if (value := getattr(new, name)) is not None}
    if new.run_at is not None:
        said["run_at"] = new.run_at.isoformat()
    if (key := key_of(new, args)) is not None:
        said["unique_key"] = key
    if new.unique_until == "start":
        said["until_start"] = True
    if new.labels is not None:
        said["labels"] = dict(new.labels)
    # Texts of JSON go in as they are: what they say stays as it was written.
    parts = [f'"args":{kept}']
    if headers is not None:
        parts.append(f'"headers":{headers}')
    if follow_ups is not None:
        parts.append(f'"follow_ups":{follow_ups}')
    return f"{json.dumps(said, ensure_ascii=False, separators=(',', ':'))[:-1]},{','.join(parts)}}}"


def followed_by(
    new: NewJob, job_id: UUID | None = None, signer: Signer | None = None, *, declared: bool = False
) -> str | None:
    """What follows a job, whose follow-ups are named, as JSON, signed for its id; None if nothing does."""
    if not new.is_followed:
        return None
    by_option = {option: getattr(new, option) for option in AWAITED}
    return follow_ups_written(by_option, job_id, signer, declared=declared)


def follow_ups_written(
    by_option: dict[str, Any], parent: UUID | None = None, signer: Signer | None = None, *, declared: bool = False
) -> str:
    """What follows an end, by the options on_success, on_failure, on_end. Raises OptionError if that is too much."""
    texts = [
        follow_up_written(each, AWAITED[option], parent, signer, declared=declared)
        for option, several in by_option.items()
        for each in several or ()
    ]
    if len(texts) > MOST_FOLLOW_UPS:
        raise OptionError(
            f"a job may be followed by {MOST_FOLLOW_UPS} others, got {len(texts)}; let one enqueue the rest"
        )
    return f"[{','.join(texts)}]"


def enqueue(texts: Sequence[str]) -> Statement[list[Enqueued]]:
    """(nothing) -> scheduled | ready for jobs as written() writes them; in their order. O(batch log n)."""
    sql = "select id, created, replaced from pgqueue.enqueue_new_jobs($1::pg_catalog.json) order by n"
    return Statement(sql, (_array(texts),), _read)


def spawn(parent: UUID, texts: Sequence[str], how: str, max_depth: int, max_children: int) -> Statement[list[Enqueued]]:
    """As enqueue(), as children of a job; raises where these are too many, or too deep. O(batch log n)."""
    sql = """
    select id, created, replaced
    from pgqueue.spawn($1::pg_catalog.uuid, $2::pg_catalog.json, $3::pg_catalog.text, $4::int, $5::int) order by n
    """
    return Statement(sql, (parent, _array(texts), how, max_depth, max_children), _read)


def sealed_anew(new: NewJob, job_id: UUID, kept: str, headers: str | None, signer: Signer) -> Statement[None]:
    """A job that waited, and was replaced, has kept its id: what it does now is signed for that one. O(log n).

    `kept` are its arguments as they were written.
    """
    params = (job_id, signer.job(new, job_id, kept, headers), followed_by(new, job_id, signer))
    return Statement(_SEAL, params, nothing)


_SEAL = """
update pgqueue.jobs as job
set headers = coalesce($2::pg_catalog.json, job.headers), follow_ups = coalesce($3::pg_catalog.json, job.follow_ups)
where job.id operator(pg_catalog.=) $1::pg_catalog.uuid and job.worker is null
"""


def with_id(new: NewJob) -> UUID:
    """The id that a job is to have: its own, or a new one."""
    return new.job_id or new_job_id()


def _array(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"


def _length(value: Duration) -> float | str:
    length = seconds(value)
    # JSON has no infinity; PostgreSQL reads it as a text.
    return "Infinity" if length == math.inf else length


def _read(rows: Rows) -> list[Enqueued]:
    return [Replaced(row[0], row[1]) if row[2] else Enqueued(row[0], row[1]) for row in rows]
