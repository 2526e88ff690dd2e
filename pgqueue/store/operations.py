"""Operations: bulk actions as rows, so that they outlive whoever began them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pgqueue.store.statement import Statement, nothing, only_value, query


@dataclass(frozen=True, slots=True)
class Operation:
    """A bulk action over what `filter` finds, seen from `made_at`; the ids below `below` are still to be looked at."""

    id: int
    kind: str
    filter: str
    priority: int | None
    rate: float | None
    detached: bool
    trial: int | None
    most_failing: float | None
    trial_ids: list[UUID] | None
    who: str
    via: str
    reason: str | None
    state: str
    why: str | None
    below: UUID | None
    looked: int
    done: int
    skipped: int
    failed: int
    made_at: datetime
    changed_at: datetime
    next_at: datetime


def create(
    kind: str,
    filter_text: str,
    *,
    priority: int | None,
    rate: float | None,
    detached: bool,
    trial: int | None,
    most_failing: float | None,
    who: str,
    via: str,
    reason: str | None,
    made_at: datetime,
) -> Statement[int]:
    """Begin an operation; answers its number. O(1)."""
    params = (kind, filter_text, priority, rate, detached, trial, most_failing, who, via, reason, made_at)
    return Statement(_CREATE, params, only_value)


_CREATE = """
insert into pgqueue.operations (kind, filter, priority, rate, detached, trial, most_failing, who, via, reason, made_at)
values ($1::text, $2::text, $3::smallint, $4::float8, $5::boolean, $6::int, $7::float8, $8::text, $9::text, $10::text,
        $11::timestamptz)
returning id
"""


def newest(before: int | None, limit: int) -> Statement[list[Operation]]:
    """The newest operations below a number. Walks operations_pkey."""
    return Statement(query("operations"), (before, limit), lambda rows: [Operation(*row) for row in rows])


def take(number: int) -> Statement[float | None]:
    """Lock an operation until the transaction ends: the seconds until its next batch; None if it does not run, or
    somebody else has it. O(1).
    """
    return Statement(_TAKE, (number,), lambda rows: max(0.0, rows[0][0]) if rows else None)


_TAKE = """
select extract(epoch from o.next_at - clock_timestamp())::float8
from pgqueue.operations as o
where o.id = $1::bigint and o.state = 'running'
for update skip locked
"""


def detached() -> Statement[list[int]]:
    """The operations that workers are to drive. Walks operations_running, which is empty as a rule."""
    return Statement(_DETACHED, (), lambda rows: [row[0] for row in rows])


_DETACHED = """
select o.id from pgqueue.operations as o where o.state = 'running' and o.detached order by o.id limit 20
"""


def operate(
    ids: Sequence[UUID], kind: str, states: Sequence[str], priority: int | None, reason: str | None
) -> Statement[dict[UUID, str]]:
    """Act on a batch of jobs: what became of each, `done`, `skipped` or `failed`. O(batch log n)."""
    params = (list(ids), kind, list(states), priority, reason)
    sql = "select job_id, became from pgqueue.operate($1::uuid[], $2::text, $3::text[], $4::smallint, $5::text)"
    return Statement(sql, params, lambda rows: {row[0]: row[1] for row in rows})


def advance(
    number: int,
    below: UUID | None,
    *,
    looked: int,
    done: int,
    skipped: int,
    failed: int,
    tried: Sequence[UUID],
    pause: float,
    ended: bool,
) -> Statement[None]:
    """Move an operation's cursor, in the transaction of the batch. O(1)."""
    params = (number, below, looked, done, skipped, failed, list(tried) or None, pause, ended)
    return Statement(_ADVANCE, params, nothing)


# With how many jobs it has moved, in the transaction of its last batch.
_NOTE_END = """
insert into pgqueue.audit (who, via, action, filter, n, reason)
select o.who, o.via, 'operation ' || o.id || ': done', o.filter, o.done, o.reason from moved as o where o.state = 'done'
"""
# A rate is kept over the whole: a batch that came late is followed by the next one sooner, by a second at most.
_ADVANCE = (
    """
with moved as (
update pgqueue.operations as o
set below = $2::uuid, looked = o.looked + $3::bigint, done = o.done + $4::bigint, skipped = o.skipped + $5::bigint,
    failed = o.failed + $6::bigint, trial_ids = coalesce(o.trial_ids || $7::uuid[], $7::uuid[], o.trial_ids),
    next_at = greatest(o.next_at, clock_timestamp() - interval '1 second') + make_interval(secs => $8::float8),
    changed_at = clock_timestamp(), state = case when $9::boolean then 'done' else o.state end
where o.id = $1::bigint
returning o.*
)
"""
    + _NOTE_END
)


def trial(ids: Sequence[UUID]) -> Statement[tuple[int, int]]:
    """Of jobs that were tried first: how many failed again, and of how many it is not known yet. O(ids log n)."""
    return Statement(query("trial"), (list(ids),), lambda rows: (rows[0][0], rows[0][1]))


def end_trial(number: int, *, ended: bool) -> Statement[None]:
    """The trial is over, and the rest follows; or nothing was left. O(1)."""
    return Statement(_END_TRIAL, (number, ended), nothing)


_END_TRIAL = (
    """
with moved as (
update pgqueue.operations as o
set trial = null, trial_ids = null, changed_at = clock_timestamp(), next_at = clock_timestamp(),
    state = case when $2::boolean then 'done' else o.state end
where o.id = $1::bigint
returning o.*
)
"""
    + _NOTE_END
)


def wait(number: int, pause: float) -> Statement[None]:
    """Look at the operation again after so many seconds. O(1)."""
    sql = "update pgqueue.operations set next_at = clock_timestamp() + make_interval(secs => $2::float8) where id = $1"
    return Statement(sql, (number, pause), nothing)


def stop(number: int, why: str) -> Statement[bool]:
    """Stop an operation after its batch under way, for which this waits; False if it does not run. O(1)."""
    return Statement(_STOP, (number, why), bool)


_STOP = """
update pgqueue.operations as o set state = 'stopped', why = $2::text, changed_at = clock_timestamp()
where o.id = $1::bigint and o.state = 'running'
returning o.id
"""


def resume(number: int, *, detached: bool) -> Statement[bool]:
    """Let a stopped operation go on where it stood, or one that nobody drives; False if it is done. O(1)."""
    return Statement(_RESUME, (number, detached), bool)


_RESUME = """
update pgqueue.operations as o
set state = 'running', why = null, detached = $2::boolean, trial = null, trial_ids = null,
    changed_at = clock_timestamp(), next_at = clock_timestamp()
where o.id = $1::bigint and o.state in ('running', 'stopped')
returning o.id
"""


def keys_taken(ids: Sequence[UUID]) -> Statement[int]:
    """How many of these dead jobs stay dead because a live job has their unique key. O(ids log n)."""
    return Statement(query("keys_taken"), (list(ids),), only_value)


def export(ids: Sequence[UUID]) -> Statement[list[tuple[UUID, str]]]:
    """Dead jobs as JSON, locked until the transaction ends. O(ids log n)."""
    return Statement(query("export_dead"), (list(ids),), lambda rows: [(row[0], row[1]) for row in rows])


def set_priority(job_id: UUID, priority: int) -> Statement[str | None]:
    """Give a waiting job another priority; answers its state, None if there is none. O(log n)."""
    return Statement("select pgqueue.set_priority($1::uuid, $2::smallint)", (job_id, priority), only_value)


def set_due(job_id: UUID, run_at: datetime) -> Statement[str | None]:
    """Let a waiting job be due at another moment; answers its state, None if there is none. O(log n)."""
    return Statement("select pgqueue.set_due($1::uuid, $2::timestamptz)", (job_id, run_at), only_value)


def edit_args(job_id: UUID, args: str, who: str) -> Statement[str | None]:
    """Give a waiting or dead job other arguments, keeping the old ones; answers its state. O(log n)."""
    return Statement("select pgqueue.edit_args($1::uuid, $2::json, $3::text)", (job_id, args, who), only_value)


def bury(job_id: UUID, reason: str | None) -> Statement[str]:
    """waiting -> dead, for a human to look at; `done`, or `skipped` if it does not wait. O(log n)."""
    sql = "select pgqueue.operate_on($1::uuid, 'bury', '{scheduled,ready,retrying}', null, $2::text)"
    return Statement(sql, (job_id, reason), only_value)
