"""Schedules and their ticks: what people and code say of them, and what schedulers decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgqueue.cron import Decision, Standing
from pgqueue.signing import Signer
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, nothing, only_value, query

# So many schedules are decided about in one call, at most.
BATCH = 500
# Ticks in one call, at most: a schedule that missed thousands goes alone.
MOST_TICKS = 2_000


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule as people see it: a row of `pgqueue.schedules`. `every`, `jitter` and `grace` are seconds.

    `next_at` is None if it never fires again, or nobody has looked yet. `paused_by` is "hand", or "code" if it is
    declared no more. `fault` is why no worker can decide about it.
    """

    name: str
    cron: str | None
    every: float | None
    timezone: str
    jitter: float
    catch_up: str
    cap: int
    grace: float
    overlap: str
    target: str
    args: Any
    queue: str | None
    labels: Mapping[str, str] | None
    source: str | None
    paused_by: str | None
    fault: str | None
    tzdata: str | None
    last_at: datetime
    next_at: datetime | None
    last_job: UUID | None


@dataclass(frozen=True, slots=True)
class TickRow:
    """What became of one tick; `why` is due, caught up, by hand, skipped, overlap, kept or replaced."""

    schedule: str
    scheduled_for: datetime
    enqueued_at: datetime
    why: str
    job_id: UUID | None


@dataclass(frozen=True, slots=True)
class Fired:
    """About how many schedules something was decided, and how many jobs were enqueued."""

    decided: int
    jobs: int


def put(said: Mapping[str, Any], signer: Signer | None = None) -> Statement[bool | None]:
    """A schedule as people say it, signed by a signer; True if it is new, None if code has declared one of its name.

    O(log n).
    """
    if signer is not None:
        said = {**said, "signature": signer.schedule(said, args_encoded(said["args"]))}
    return Statement("select pgqueue.put_schedule($1::pg_catalog.json, null)", (encoded(said),), only_value)


def remove(name: str) -> Statement[bool]:
    """A schedule goes, and its history stays; False if there is none of this name. O(log n)."""
    return Statement("select pgqueue.unschedule($1::pg_catalog.text)", (name,), only_value)


def pause(name: str) -> Statement[bool]:
    """A schedule fires no more; False if there is none of this name. O(log n)."""
    return Statement("select pgqueue.pause_schedule($1::pg_catalog.text)", (name,), only_value)


def resume(name: str) -> Statement[bool]:
    """A paused schedule goes on; False if there is none of this name. O(log n)."""
    return Statement("select pgqueue.resume_schedule($1::pg_catalog.text)", (name,), only_value)


def run(name: str) -> Statement[UUID | None]:
    """One more job of a schedule, now; None if there is none of this name. O(log n)."""
    return Statement("select pgqueue.run_schedule($1::pg_catalog.text)", (name,), only_value)


def rows(limit: int, after: str = "") -> Statement[list[ScheduleRow]]:
    """The schedules behind a name, in order, at most so many. Walks schedules_pkey."""
    return Statement(query("schedules"), (after, limit), lambda rows: [_read(row) for row in rows])


def get(name: str) -> Statement[ScheduleRow | None]:
    """One schedule; None if there is none of this name. Walks schedules_pkey."""
    return Statement(query("schedule"), (name,), lambda rows: _read(rows[0]) if rows else None)


def history(name: str, limit: int) -> Statement[list[TickRow]]:
    """What became of the last ticks of a schedule, the latest first. Walks ticks_pkey."""
    return Statement(query("ticks"), (name, limit), lambda rows: [TickRow(*row) for row in rows])


def _read(row: Sequence[Any]) -> ScheduleRow:
    values = list(row)
    values[10], values[12] = load_json(row[10]), load_json(row[12])
    return ScheduleRow(*values)


def next_tick() -> Statement[float | None]:
    """In how many seconds it is time to look at a schedule; None if there is nothing to look at. O(log n)."""
    return Statement("select pgqueue.next_tick()", (), only_value)


def due(tzdata: str, passed: Sequence[str], limit: int = BATCH) -> Statement[tuple[list[Standing], datetime | None]]:
    """The schedules that it is time to decide about, and the time. O(limit)."""
    sql = """
    select name, cron, every, timezone, catch_up, cap, grace, last_at, next_at, is_now
    from pgqueue.due_schedules($1::text, $2::text[], $3::int)
    """
    return Statement(
        sql,
        (tzdata, list(passed), limit),
        lambda rows: ([Standing(*row[:-1]) for row in rows], rows[0][-1] if rows else None),
    )


def fire(decisions: Sequence[Decision], tzdata: str) -> Statement[Fired]:
    """Write decisions down, those of schedules that still stand as they did. O(ticks log n)."""
    ticks = [(number, tick) for number, decision in enumerate(decisions, 1) for tick in decision.ticks]
    params = (
        [decision.name for decision in decisions],
        [decision.expected for decision in decisions],
        [decision.next_at for decision in decisions],
        tzdata,
        [number for number, _ in ticks],
        [tick.at for _, tick in ticks],
        [tick.why for _, tick in ticks],
    )
    return Statement(_FIRE, params, lambda rows: Fired(*rows[0]))


_FIRE = """
select decided, fired from pgqueue.fire(
  $1::text[], $2::timestamptz[], $3::timestamptz[], $4::text, $5::int[], $6::timestamptz[], $7::text[])
"""


def note_fault(name: str, expected: datetime, fault: str) -> Statement[None]:
    """Say why nothing can be decided about a schedule, if it still stands as it did. O(log n)."""
    sql = "select pgqueue.note_fault($1::text, $2::timestamptz, $3::text)"
    return Statement(sql, (name, expected, fault), nothing)


def replan(tzdata: str) -> Statement[int]:
    """Have those looked at again that were planned by older rules of time zones. Reads all schedules."""
    return Statement("select pgqueue.replan_schedules($1::text)", (tzdata,), only_value)


def encoded(said: Mapping[str, Any]) -> str:
    """What is said of a schedule, by the names of the columns, as JSON."""
    return args_encoded(dict(said))


def args_encoded(value: Any) -> str:
    """As it stands in what encoded() answers, and as the database keeps it from there."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
