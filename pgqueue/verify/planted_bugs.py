"""Planted bugs: a function of the scratch database with a guard cut out of it, which the verifier must find.

The edits are made in the text of the installed function, word by word; a text that no longer matches is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg

from pgqueue.errors import PgqueueError, UsageError

Conn = psycopg.Connection[Any]


class PlantedBug(StrEnum):
    """The bugs that can be planted."""

    SETTLE_FENCE = "settle-fence"
    FAIL_FENCE = "fail-fence"
    LEASE_CHECK = "lease-check"
    WINDOW = "window"
    START_LOCK = "start-lock"
    TICK = "tick"
    LIMIT_LOCK = "limit-lock"
    LIMIT_COUNT = "limit-count"
    LANE = "lane"
    LET_GO = "let-go"
    METER = "meter"
    BRINGS_FENCE = "brings-fence"
    FOLLOW_UP = "follow-up"
    EFFECT_CLAIM = "effect-claim"
    EFFECT_EARLY = "effect-early"
    MEMO = "memo"
    SLEEPER = "sleeper"
    GATE_COUNT = "gate-count"
    GATE_EARLY = "gate-early"


@dataclass(frozen=True, slots=True)
class Edit:
    """In `function`, these texts become those; each must stand there once."""

    function: str
    changes: tuple[tuple[str, str], ...]


EDITS: dict[PlantedBug, tuple[Edit, ...]] = {
    # As most queues have it: a success counts if the job runs, whoever runs it by now.
    PlantedBug.SETTLE_FENCE: (
        Edit("step", (
            ("where job.id = any (_ids) and job.worker = _worker"
             " and ((job.id, job.claim) in (select done.id, done.claim"
             " from unnest(_ids, _claims) as done (id, claim))) is true",
             "where job.id = any (_ids) and job.worker is not null"),
        )),
    ),
    # So does a failure.
    PlantedBug.FAIL_FENCE: (
        Edit("fail", (
            ("where held.id = told.id and held.claim = told.claim and held.worker = _worker",
             "where held.id = told.id and held.worker is not null"),
        )),
    ),
    # A heartbeat extends what has expired.
    PlantedBug.LEASE_CHECK: (
        Edit("heartbeat", (
            ("where me.id = _worker and me.expires_at > clock_timestamp()", "where me.id = _worker"),
        )),
    ),
    # A unique key is free when its job has ended, whatever was said.
    PlantedBug.WINDOW: (
        Edit("take_window", (
            ("where taken.unique_key = _key and taken.until > clock_timestamp()", "where false"),
            ("where taken.until <= clock_timestamp()", "where true"),
        )),
    ),
    # A request leaves the waiting job that it finds alone, which may start before what comes with it is committed.
    PlantedBug.START_LOCK: (
        Edit("enqueue_keyed", (
            ("where job.id = _job.id and job.worker is null for share",
             "where job.id = _job.id and job.worker is null"),
        )),
    ),
    # A tick is fired by whoever has decided about it, whatever others have done meanwhile.
    PlantedBug.TICK: (
        Edit("fire", (
            ("s.unique_key is null and s.cost is null and s.overlap = 'allow' and s.tenant is null as plain",
             "false as plain"),
            ("and (s.next_at = told.expected and s.next_at <= _now) is true", ""),
            ("for no key update skip locked", "for no key update"),
        )),
        Edit("enqueue_tick", (
            ("if not found or not _wanted then did := case when found then did end;", "if not _wanted then"),
        )),
    ),
    # Shares are counted and taken while others do the same.
    PlantedBug.LIMIT_LOCK: (
        Edit("lane_rooms", (
            ("when pg_try_advisory_xact_lock(7710, hashtext(l.key_name)) then 1", "when true then 1"),
            ("elsif not pg_try_advisory_xact_lock(7710, hashtext(_task.name)) then", "elsif false then"),
        )),
    ),
    # One more than its limit runs in a lane.
    PlantedBug.LIMIT_COUNT: (
        Edit("lane_rooms", (
            ("when l.key_most <= (", "when l.key_most < ("),
            ("then l.key_most - (", "then l.key_most + 1 - ("),
        )),
    ),
    # What is retried lets go of its lane.
    PlantedBug.LANE: (
        Edit("fail", (("hold = case when job.id = any (_ordered) then job.hold end,", "hold = null,"),)),
        Edit("ordered_among", (("if not exists (select from pgqueue.limits as l where l.ordered)", "if true"),)),
    ),
    # A share stays with an attempt that has ended.
    PlantedBug.LET_GO: (
        Edit("let_go", (("and own.seq = freed.seq", "and own.seq = nullif(freed.seq, 3 * (freed.seq / 3))"),)),
    ),
    # What starts is not counted.
    PlantedBug.METER: (
        Edit("meter_charge", (("_meter.cells[1] := _meter.cells[1] + _n;", ""),)),
    ),
    # What a success brings is enqueued whoever has the job by now, and however often it is said.
    PlantedBug.BRINGS_FENCE: (
        Edit("succeed", (
            ("if not found then return pgqueue.record_late(_worker, array[_id], array[_claim], 'succeeded') = '{}';"
             " end if;", ""),
        )),
    ),
    # A death is followed by nothing.
    PlantedBug.FOLLOW_UP: (
        Edit("fail", (("if _followed is not null then perform pgqueue.follow_up(_followed); end if;", ""),)),
    ),
    # A reservation is nobody's, whoever is at it.
    PlantedBug.EFFECT_CLAIM: (
        Edit("enter_effect", (
            ("and pgqueue.is_running(_found.job_id, _found.worker, _found.claim) then 'busy'", "then 'first'"),
        )),
    ),
    # What is outside of the database is done as soon as it is begun.
    PlantedBug.EFFECT_EARLY: (
        Edit("enter_effect", (("_scope, _key, _state, _now, _done_at,", "_scope, _key, 'done', _now, _now,"),)),
    ),
    # What a step has done is not remembered, now and then.
    PlantedBug.MEMO: (
        Edit("remember", (
            ("values (_id, _kind, _name, _nth, _claim, _result, _undo) on conflict do nothing;"
             " if not found then standing",
             "select _id, _kind, _name, _nth, _claim, _result, _undo where hashtext(_id::text || _name) % 3 <> 0"
             " on conflict do nothing; if not found and hashtext(_id::text || _name) % 3 <> 0 then standing"),
        )),
    ),
    # Who waits for an end is not told of it.
    PlantedBug.SLEEPER: (
        Edit("pass_on", (("set run_at = least(job.run_at, _at)", "set run_at = job.run_at"),)),
    ),
    # An end is not counted, now and then.
    PlantedBug.GATE_COUNT: (
        Edit("count_ends", (
            ("cross join lateral unnest(told.links::int[]) as link;",
             "cross join lateral unnest(told.links::int[]) as link where random() < 0.7;"),
        )),
    ),
    # A gate opens for the last but one.
    PlantedBug.GATE_EARLY: (
        Edit("advance", (("held.off > 0 or held.unmet <= held.n)", "held.off > 0 or held.unmet <= held.n + 1)"),)),
    ),
}  # fmt: skip


def plant(conn: Conn, bug: PlantedBug) -> None:
    """Replace functions by their sabotaged variants. Raises PgqueueError if a text is not the one expected."""
    for edit in EDITS[bug]:
        _plant(conn, bug, edit)


def _plant(conn: Conn, bug: PlantedBug, edit: Edit) -> None:
    rows = conn.execute(
        # What the last release called has fewer arguments, and leads to this one.
        "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'pgqueue'::regnamespace and proname = %s"
        " order by pronargs desc limit 1",
        [edit.function],
    ).fetchall()
    if not rows:
        raise PgqueueError(f"{bug} cannot be planted: there is no function pgqueue.{edit.function}")
    text: str = rows[0][0]
    for old, new in edit.changes:
        # However it is indented.
        pattern = re.compile(r"\s+".join(map(re.escape, old.split())))
        text, times = pattern.subn(lambda _, new=new: new, text)  # type: ignore[misc]
        if times != 1:
            raise PgqueueError(
                f"{bug} cannot be planted: in pgqueue.{edit.function} this stands {times} times, not once: {old}"
            )
    conn.execute(text.encode())


def named(name: str | None) -> PlantedBug | None:
    """The bug of this name. Raises UsageError if there is none."""
    try:
        return None if name is None else PlantedBug(name)
    except ValueError:
        raise UsageError(f"--plant must be one of {', '.join(PlantedBug)}, got {name!r}") from None
