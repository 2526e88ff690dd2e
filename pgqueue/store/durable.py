"""What durable functions remember, what they wait for, and what is sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.outcome import Settlement
from pgqueue.record import Step
from pgqueue.store.direct import Rows
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, nothing, only_value

# Steps of one job.
MOST_STEPS = 10_000
# The signal that the end of a child is.
ENDED = "pgqueue:end"

Kind = Literal["step", "sleep", "wait", "child", "undo", "undone"]


class Memo(NamedTuple):
    """What a step came to, as JSON; null for one that is not over. `undo` is what takes it back."""

    kind: str
    name: str
    nth: int
    result: str | None
    undo: str | None
    is_over: bool


class Standing(NamedTuple):
    """How a step stands: `done` by this attempt, `there` by another one, `wait` for so many seconds, `over`, `late`."""

    said: str
    result: str | None = None
    seconds: float | None = None


def memos(job_id: UUID) -> Statement[list[Memo]]:
    """What a job remembers, in order; a little more than it may, where it is too much. Walks steps_pkey; O(steps)."""
    return Statement(_MEMOS, (job_id, MOST_STEPS + 1), lambda rows: [Memo(*row) for row in rows])


_MEMOS = """
select kind, name, nth, result::pg_catalog.text, undo::pg_catalog.text,
       coalesce(until operator(pg_catalog.<=) pg_catalog.clock_timestamp(), true)
from pgqueue.steps where job_id operator(pg_catalog.=) $1::pg_catalog.uuid
order by nth, kind, name limit $2::pg_catalog.int4
"""


def remember(
    claim: Claim, kind: Kind, name: str, nth: int, result: str, undo: str | None = None
) -> Statement[Standing]:
    """Write down what a step came to, if no other attempt has. O(log n)."""
    return Statement(_REMEMBER, (*_token(claim), kind, name, nth, result, undo), _standing)


_REMEMBER = """
select standing, result
from pgqueue.remember(
  $1::pg_catalog.int8, $2::pg_catalog.uuid, $3::pg_catalog.int4, $4::pg_catalog.text, $5::pg_catalog.text,
  $6::pg_catalog.int4, $7::pg_catalog.json, $8::pg_catalog.json)
"""


def sleep(claim: Claim, name: str, nth: int, seconds: float) -> Statement[Standing]:
    """Begin to sleep, or go on to. O(log n)."""
    return Statement(_SLEEP, (*_token(claim), name, nth, seconds), _standing)


_SLEEP = """
select standing, null::pg_catalog.text, seconds
from pgqueue.sleep_until(
  $1::pg_catalog.int8, $2::pg_catalog.uuid, $3::pg_catalog.int4, $4::pg_catalog.text, $5::pg_catalog.int4,
  $6::pg_catalog.float8)
"""


def wait(
    claim: Claim, name: str, nth: int, scopes: Sequence[UUID], signal: str, seconds: float | None
) -> Statement[Standing]:
    """Look for a signal to each of these jobs; begin to wait, or go on to, where one is missing. O(jobs log n)."""
    return Statement(_WAIT, (*_token(claim), name, nth, list(scopes), signal, seconds), _standing)


_WAIT = """
select standing, result, seconds
from pgqueue.await_signals(
  $1::pg_catalog.int8, $2::pg_catalog.uuid, $3::pg_catalog.int4, 'wait', $4::pg_catalog.text, $5::pg_catalog.int4,
  $6::pg_catalog.uuid[], $7::pg_catalog.text, $8::pg_catalog.float8)
"""


def spawn(
    claim: Claim,
    name: str,
    nth: int,
    texts: Sequence[str],
    ids: Sequence[UUID],
    *,
    detached: bool,
    human: bool,
    bounds: tuple[int, int],
) -> Statement[Standing]:
    """(nothing) -> scheduled | ready | manual for children, as a step. O(batch log n)."""
    params = (*_token(claim), name, nth, f"[{','.join(texts)}]", list(ids), detached, human, *bounds)
    return Statement(_SPAWN, params, _standing)


_SPAWN = """
select standing, result
from pgqueue.spawn_children(
  $1::pg_catalog.int8, $2::pg_catalog.uuid, $3::pg_catalog.int4, $4::pg_catalog.text, $5::pg_catalog.int4,
  $6::pg_catalog.json, $7::pg_catalog.uuid[], $8::pg_catalog.bool, $9::pg_catalog.bool, $10::pg_catalog.int4,
  $11::pg_catalog.int4)
"""


def suspend(worker: int, waiting: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """running -> scheduled | retrying, for what sleeps or waits; answers the ids that were late. O(batch log n)."""
    params = (
        worker,
        [each.id for each in waiting],
        [each.claim for each in waiting],
        [float(each.delay) for each in waiting],
        [each.error for each in waiting],
    )
    return Statement(_SUSPEND, params, lambda rows: frozenset(rows[0][0] or ()))


_SUSPEND = "select pgqueue.suspend($1::bigint, $2::uuid[], $3::int[], $4::float8[], $5::text[])"


def signal(job_id: UUID, name: str, payload: str) -> Statement[bool | None]:
    """Send a signal; whether it is the first, None if there is no such job. O(log n)."""
    sql = "select pgqueue.signal($1::pg_catalog.uuid, $2::pg_catalog.text, $3::pg_catalog.json)"
    return Statement(sql, (job_id, name, payload), only_value)


def fork(job_id: UUID, step: str) -> Statement[UUID | None]:
    """(nothing) -> ready, for a job that goes on where another one was; None if there is none. O(steps log n)."""
    sql = "select pgqueue.fork($1::pg_catalog.uuid, $2::pg_catalog.text)"
    return Statement(sql, (job_id, step), only_value)


def steps(job_id: UUID, limit: int, after: int = -1) -> Statement[list[Step]]:
    """What a job remembers, behind a place. Walks steps_pkey; O(steps)."""
    return Statement(_STEPS, (job_id, after, limit), lambda rows: [_step(row) for row in rows])


_STEPS = """
select nth, kind, name, at, until, claim, undo::pg_catalog.text, result::pg_catalog.text
from pgqueue.steps_shown
where job_id operator(pg_catalog.=) $1::pg_catalog.uuid and nth operator(pg_catalog.>) $2::pg_catalog.int4
order by nth, kind, name limit $3::pg_catalog.int4
"""


def _token(claim: Claim) -> tuple[int, UUID, int]:
    return claim.worker, claim.id, claim.claim


def _standing(rows: Rows) -> Standing:
    return Standing(*rows[0])


def _step(row: Sequence[Any]) -> Step:
    nth, kind, name, at, until, claim, undo, result = row
    undone_by = None if undo is None else str(load_json(undo).get("target"))
    return Step(nth, kind, name, at, until, claim, undone_by, None if result is None else load_json(result))


class CopiedStep(NamedTuple):
    """A step as a fork has it of the old job; `result` and `undo` are JSON."""

    kind: str
    name: str
    nth: int
    result: str | None
    undo: str | None


def args_of_fork(job_id: UUID) -> Statement[str | None]:
    """The arguments of a job that has just been enqueued. Walks jobs_pkey."""
    sql = "select args::pg_catalog.text from pgqueue.jobs where id operator(pg_catalog.=) $1::pg_catalog.uuid"
    return Statement(sql, (job_id,), lambda rows: rows[0][0] if rows else None)


def set_args_of_fork(job_id: UUID, args: str) -> Statement[None]:
    """Other arguments for a job that nobody has claimed yet. Walks jobs_pkey."""
    sql = "update pgqueue.jobs set args = $2::pg_catalog.json where id operator(pg_catalog.=) $1::pg_catalog.uuid"
    return Statement(sql, (job_id, args), nothing)


def copied_steps(job_id: UUID, holding: str, after: int, limit: int) -> Statement[list[CopiedStep]]:
    """Steps behind a number whose result or undo holds a text. Walks steps_pkey; O(steps)."""
    return Statement(_COPIED, (job_id, holding, after, limit), lambda rows: [CopiedStep(*row) for row in rows])


# By whole numbers, of which several steps may have the same.
_COPIED = """
with held as materialized (
  select kind, name, nth, result::pg_catalog.text, undo::pg_catalog.text
  from pgqueue.steps
  where job_id operator(pg_catalog.=) $1::pg_catalog.uuid and nth operator(pg_catalog.>) $3::pg_catalog.int4
    and (pg_catalog.strpos(result::pg_catalog.text, $2::pg_catalog.text) operator(pg_catalog.>) 0
         or pg_catalog.strpos(undo::pg_catalog.text, $2::pg_catalog.text) operator(pg_catalog.>) 0)
  order by nth
  fetch first ($4::pg_catalog.int4) rows with ties
)
select * from held order by nth, kind, name
"""


def set_copied_steps(job_id: UUID, steps: Sequence[CopiedStep]) -> Statement[None]:
    """The results and undos of steps. Walks steps_pkey; O(steps log n)."""
    columns = [[each[n] for each in steps] for n in (0, 1, 3, 4)]
    return Statement(_SET_COPIED, (job_id, *columns), nothing)


_SET_COPIED = """
update pgqueue.steps as step
set result = told.result::pg_catalog.json, undo = told.undo::pg_catalog.json
from rows from (
  pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]),
  pg_catalog.unnest($4::pg_catalog.text[]), pg_catalog.unnest($5::pg_catalog.text[])) as told (kind, name, result, undo)
where step.job_id operator(pg_catalog.=) $1::pg_catalog.uuid and step.kind operator(pg_catalog.=) told.kind
  and step.name operator(pg_catalog.=) told.name
"""
