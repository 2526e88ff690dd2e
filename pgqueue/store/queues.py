"""Queues: their names, their settings, and how full they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from pgqueue.store.direct import Rows
from pgqueue.store.jobs import Slot
from pgqueue.store.statement import Statement, nothing, query

# Jobs on each side of now, and dead ones, that are counted before what is left is estimated: milliseconds.
MOST_COUNTED = 20_000


@dataclass(frozen=True, slots=True)
class QueueStats:
    """One row of the view `pgqueue.queue_stats`: jobs by state, and how long the oldest ready one has waited.

    `running` are as many as their workers have slots, `ahead` those claimed ahead of a free one. `estimated` names the
    numbers that were not counted to the end. `paused_until` is None if it is not paused, or until somebody resumes it.
    The last five are those of Settings.
    """

    queue: str
    ready: int
    scheduled: int
    running: int
    retrying: int
    dead: int
    oldest_ready_age: timedelta | None
    paused: bool
    ahead: int
    estimated: list[str]
    paused_until: datetime | None
    timeout: float | None
    max_attempts: int | None
    priority: int | None
    ageing: float | None
    allow: list[str] | None


@dataclass(frozen=True, slots=True)
class Depths:
    """How full the queues are, and how many jobs each worker holds: `partial` if more may be held than were found."""

    queues: list[QueueStats]
    held: Mapping[int, int]
    partial: bool


class Head(NamedTuple):
    """The first waiting job of a slot (queue, priority), and in how many seconds it is due: negative if it is.

    `run_at`, `id` and `seconds` are None where none waits, or the queue is paused; of a pause that ends by itself
    `run_at` is the end, and only `id` is None.
    """

    queue: str
    priority: int
    run_at: datetime | None
    id: UUID | None
    seconds: float | None


def names() -> Statement[list[str]]:
    """The names of all queues that have jobs. One index probe per queue."""
    return Statement("select pgqueue.first_queues(null)", (), lambda rows: [row[0] for row in rows])


def first(limit: int) -> Statement[list[str]]:
    """The names of up to `limit` queues that have jobs. One index probe per queue."""
    return Statement("select pgqueue.first_queues($1::int)", (limit,), lambda rows: [row[0] for row in rows])


def heads(queue: str, priority: int, limit: int) -> Statement[list[Head]]:
    """The heads of up to `limit` slots that have jobs, behind this one and in order. A few index probes per slot."""
    sql = f"{_HEADS} from pgqueue.heads($1::text, $2::smallint, $3::int)"
    return Statement(sql, (queue, priority, limit), lambda rows: [Head._make(row) for row in rows])


def heads_of(names: Sequence[str]) -> Statement[list[Head]]:
    """The heads of all slots of these queues that have jobs. A few index probes per queue and slot."""
    sql = f"{_HEADS} from pgqueue.heads_of($1::text[])"
    return Statement(sql, (list(names),), lambda rows: [Head._make(row) for row in rows])


_HEADS = "select queue, priority::int, run_at, id, extract(epoch from run_at - now())::float8"


def behind(after: str, limit: int) -> Statement[list[str]]:
    """The names of up to `limit` queues behind one, in order; also of those that have but dead jobs or settings."""
    sql = "select pgqueue.queues_behind($1::text, $2::int)"
    return Statement(sql, (after, limit), lambda rows: [row[0] for row in rows])


def fullest(limit: int) -> Statement[list[str]]:
    """The names of the queues that seem to have most ready jobs, from a sample. O(1)."""
    return Statement(query("fullest_queues"), (limit,), lambda rows: [row[0] for row in rows])


def depths(names: Sequence[str] | None = None, most: int = MOST_COUNTED) -> Statement[Depths]:
    """How full these queues are, or all: exact for about `most` jobs in all, and estimated where there are more."""
    return Statement(query("queue_stats"), (None if names is None else list(names), most), _read_depths)


def _read_depths(rows: Rows) -> Depths:
    queues = [QueueStats(*row[:-1]) for row in rows]
    held = Counter(worker for row in rows for worker in row[-1])
    return Depths(queues, held, any("running" in queue.estimated for queue in queues))


def order_slots(
    slots: Sequence[Slot], lag: timedelta, ranks: Sequence[int], ageing: Sequence[float | None]
) -> Statement[list[int]]:
    """The numbers of these slots, from 1, in the order in which to claim from them: by rank, then by their heads.

    By priority; or with `ageing`, of each slot, by age. One index probe a slot.
    """
    params = (
        [slot.queue for slot in slots],
        [slot.priority for slot in slots],
        [slot.after for slot in slots],
        [slot.after_id for slot in slots],
        lag,
        list(ranks),
        list(ageing),
    )
    return Statement(_ORDER_SLOTS, params, lambda rows: rows[0][0] or [])


_ORDER_SLOTS = """
select pgqueue.order_slots(
  $1::text[], $2::smallint[], $3::timestamptz[], $4::uuid[], $5::interval, $6::int[], $7::float8[])
"""


class Settings(NamedTuple):
    """What a queue says of its jobs where they, and their tasks, say nothing; times are seconds. None: nothing.

    `ageing` is how much waiting a level of priority is worth, `allow` the targets that it takes, or globs of them.
    """

    queue: str
    timeout: float | None
    max_attempts: int | None
    priority: int | None
    ageing: float | None
    allow: list[str] | None = None


def settings(queue: str | None = None) -> Statement[list[Settings]]:
    """What queues say, of those that say something: of one, or of all. Walks queues_said, queues_allowing; O(those)."""
    return Statement(_SETTINGS, (queue,), lambda rows: [Settings._make(row) for row in rows])


_SETTINGS = """
select name, timeout, max_attempts::int, priority::int, ageing, allow
from pgqueue.queues
where (timeout is not null or max_attempts is not null or priority is not null or ageing is not null)
  and name = coalesce($1::text, name)
union all
select name, null, null, null, null, allow
from pgqueue.queues
where allow is not null
  and timeout is null and max_attempts is null and priority is null and ageing is null
  and name = coalesce($1::text, name)
order by name
"""


def set_settings(said: Settings) -> Statement[None]:
    """Change what a queue says, but for what it allows; what is None here stays as it is. Workers hear of it."""
    return Statement(_SET, said[:-1], nothing)


_SET = """
select pgqueue.set_queue(
  $1::text, timeout => make_interval(secs => $2::float8), max_attempts => $3::int, priority => $4::int,
  ageing => make_interval(secs => $5::float8))
"""


def unset(queue: str, names: Sequence[str]) -> Statement[None]:
    """Let a queue say nothing of these any more. Workers hear of it."""
    return Statement("select pgqueue.unset_queue($1::text, $2::text[])", (queue, list(names)), nothing)


def allow(queue: str, patterns: Sequence[str] | None) -> Statement[None]:
    """Say which targets a queue takes, or globs of them; None: any. Workers hear of it."""
    sql = "select pgqueue.allow_targets($1::pg_catalog.text, $2::pg_catalog.text[])"
    return Statement(sql, (queue, None if patterns is None else list(patterns)), nothing)


def pause(queue: str, seconds: float | None = None) -> Statement[None]:
    """Stop claims from a queue, for so many seconds or until it is resumed; what runs goes on. O(1)."""
    sql = "select pgqueue.pause_queue($1::text, make_interval(secs => $2::float8))"
    return Statement(sql, (queue, seconds), nothing)


def resume(queue: str) -> Statement[None]:
    """Go on with claims from a queue; idle workers hear of it. O(1)."""
    return Statement("select pgqueue.resume_queue($1::text)", (queue,), nothing)


def set_notify(queue: str, notify: Literal["idle", "off"]) -> Statement[None]:
    """Whether idle workers are told of jobs in a queue; if it is off, they find them when they poll."""
    sql = """
    insert into pgqueue.queues (name, notify) values ($1::pg_catalog.text, $2::pg_catalog.text)
    on conflict (name) do update set notify = excluded.notify
    """
    return Statement(sql, (queue, notify), nothing)
