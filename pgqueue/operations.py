"""Bulk actions over what a query finds: previewed, then done batch by batch, each batch a transaction of its own.

How far an operation came is committed with its batch: whatever kills whoever drives it, each job is touched once. It
walks from the newest job to the oldest, and a job that comes meanwhile is not meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.errors import OptionError
from pgqueue.job import JobState
from pgqueue.search import Query, parse
from pgqueue.store import audit, execute, operations, searching
from pgqueue.store.looking import LONGER, look, plan_soundly
from pgqueue.store.operations import Operation

# Jobs of one batch, which is a transaction: short enough to be in nobody's way.
BATCH = 500
# Seconds of one batch's look, and between two looks at what became of a trial.
LOOK, TRIAL_EVERY = 0.3, 1.0
# As many a preview counts, and looks at for it.
COUNTED, PREVIEWED = 10_001, 60_000
SAMPLES = 5
WAITING = frozenset({JobState.SCHEDULED, JobState.READY, JobState.RETRYING})
# In which states a job must be for each kind of operation.
STATES = {
    "cancel": WAITING | {JobState.RUNNING},
    "retry": frozenset({JobState.DEAD, JobState.RETRYING, JobState.SCHEDULED}),
    "bury": WAITING,
    "purge": frozenset({JobState.DEAD}),
    "priority": WAITING,
}
Export = Callable[[Sequence[str]], None]
Conn = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An operation to be: what is done to which jobs, seen from `made_at`; by whom, and why."""

    kind: str
    filter: str
    made_at: datetime
    who: str
    via: str
    priority: int | None = None
    rate: float | None = None
    trial: int | None = None
    most_failing: float | None = None
    detached: bool = False
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in STATES:
            raise OptionError(f"an operation is {', '.join(STATES)}, got {self.kind!r}")
        if self.rate is not None and not 0 < self.rate <= 1_000_000:
            raise OptionError(f"a rate is more than 0 and at most 1,000,000 a second, got {self.rate:g}")
        if self.trial is not None and (self.kind != "retry" or not 1 <= self.trial <= BATCH):
            raise OptionError(f"a trial is of 1 to {BATCH} jobs that are retried, got {self.trial} of {self.kind}")


@dataclass(frozen=True, slots=True)
class Preview:
    """What an operation would do: how many jobs by state, the ids of some, and what is left out.

    `looked` is how many were looked at, and `whole` whether that was all. `left` are those that the query asks for and
    that are in another state, `kept` those that a live job's unique key keeps dead.
    """

    states: dict[str, int]
    samples: list[UUID]
    left: dict[str, int]
    kept: int
    looked: int
    whole: bool

    @property
    def count(self) -> int:
        """How many jobs were found; there may be more unless `whole`."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of one step: `pause` seconds until the next one; None if the operation does not run any more."""

    pause: float | None


def asked(kind: str, filter_text: str, made_at: datetime) -> Query:
    """The jobs that an operation is about: those that the query finds in states that it is for. Raises UsageError."""
    parse(filter_text, made_at)
    return parse(f"{filter_text} state:{','.join(sorted(STATES[kind]))}", made_at)


def preview(conn: Conn, plan: Plan) -> Preview | None:
    """What an operation would do, counted as far as that is cheap; None if the database did not answer in time."""

    def count(conn: Conn) -> Preview:
        meant = searching.search(
            conn, asked(plan.kind, plan.filter, plan.made_at), limit=COUNTED, budget=PREVIEWED, seconds=1.0
        )
        every = searching.search(conn, parse(plan.filter, plan.made_at), limit=1000, seconds=LOOK)
        left = [each.state for each in every.candidates if each.state not in STATES[plan.kind]]
        dead = [each.id for each in meant.candidates if each.state == JobState.DEAD]
        kept = execute(conn, operations.keys_taken(dead)) if plan.kind == "retry" and dead else 0
        ids = [each.id for each in meant.candidates[:SAMPLES]]
        states = _counts([each.state for each in meant.candidates])
        return Preview(states, ids, _counts(left), kept, meant.looked, meant.next is None)

    return look(conn, count, LONGER)


def begin(conn: Conn, plan: Plan) -> int:
    """Write an operation and its audit down; answers its number. `conn` is in autocommit mode."""
    asked(plan.kind, plan.filter, plan.made_at)
    with conn.transaction():
        number = execute(
            conn,
            operations.create(
                plan.kind,
                plan.filter,
                priority=plan.priority,
                rate=plan.rate,
                detached=plan.detached,
                trial=plan.trial,
                most_failing=plan.most_failing,
                who=plan.who,
                via=plan.via,
                reason=plan.reason,
                made_at=plan.made_at,
            ),
        )
        action = f"operation {number}: {plan.kind}" + ("" if plan.priority is None else f" {plan.priority}")
        execute(conn, audit.write(plan.who, plan.via, action, filter_text=plan.filter, reason=plan.reason))
    return number


def get(conn: Conn, number: int) -> Operation | None:
    """One operation; None if there is none with this number."""
    found = execute(conn, operations.newest(number + 1, 1))
    return found[0] if found and found[0].id == number else None


def step(conn: Conn, number: int, export: Export | None = None, most: int = BATCH) -> Progress:
    """Do the next batch, of at most so many jobs, if it is due, in a transaction of its own. `conn` autocommits.

    Dead jobs that are purged are given to `export` as JSON before they go; what it raises undoes the batch.
    """
    with conn.transaction():
        due_in = execute(conn, operations.take(number))
        operation = get(conn, number)
        if operation is None or operation.state != "running":
            return Progress(None)
        if due_in is None or due_in > 0:
            return Progress(TRIAL_EVERY if due_in is None else due_in)
        plan_soundly(conn)
        tried = operation.trial_ids or []
        if operation.trial is not None and (len(tried) >= operation.trial or operation.below == _END):
            return Progress(_judge_trial(conn, operation, tried))
        return Progress(_batch(conn, operation, len(tried), export, most))


# The cursor of an operation that has come to the end, while its trial is awaited.
_END = UUID(int=0)


def _batch(conn: Conn, operation: Operation, tried: int, export: Export | None, most: int) -> float | None:
    if operation.rate is not None:
        most = max(1, min(most, math.floor(operation.rate)))
    if operation.trial is not None:
        most = min(most, operation.trial - tried)
    query = asked(operation.kind, operation.filter, operation.made_at)
    found = searching.search(conn, query, before=operation.below or _top(operation), limit=most, seconds=LOOK)
    ids = [each.id for each in found.candidates]
    states = sorted({each.state for each in found.candidates})
    if operation.kind == "purge" and export is not None and ids:
        ids = _exported(conn, ids, export)
    became = execute(conn, operations.operate(ids, operation.kind, states, operation.priority, operation.reason))
    verdicts = list(became.values())
    done = [job_id for job_id, verdict in became.items() if verdict == "done"]
    pause = 0.0 if operation.rate is None else len(done) / operation.rate
    ended = found.next is None
    waits = ended and operation.trial is not None and bool(tried or done)
    execute(
        conn,
        operations.advance(
            operation.id,
            _END if ended else found.next,
            looked=found.looked,
            done=len(done),
            skipped=len(found.candidates) - len(done) - verdicts.count("failed"),
            failed=verdicts.count("failed"),
            tried=done if operation.trial is not None else (),
            pause=pause,
            ended=ended and not waits,
        ),
    )
    return None if ended and not waits else pause


def _top(operation: Operation) -> UUID:
    """Above every job that there was when the operation was made, as far as ids tell."""
    milliseconds = int(operation.made_at.timestamp() * 1000) + 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62)


def _judge_trial(conn: Conn, operation: Operation, tried: Sequence[UUID]) -> float | None:
    failed, unknown = execute(conn, operations.trial(tried))
    if failed > len(tried) * (0.5 if operation.most_failing is None else operation.most_failing):
        execute(conn, operations.stop(operation.id, f"{failed} of the first {len(tried)} failed again"))
        return None
    if unknown:
        execute(conn, operations.wait(operation.id, TRIAL_EVERY))
        return TRIAL_EVERY
    ended = operation.below == _END
    execute(conn, operations.end_trial(operation.id, ended=ended))
    return None if ended else 0.0


def _exported(conn: Conn, ids: Sequence[UUID], export: Export) -> list[UUID]:
    rows = execute(conn, operations.export(ids))
    export([text for _, text in rows])
    return [job_id for job_id, _ in rows]


def _counts(states: Sequence[str]) -> dict[str, int]:
    return {str(state): states.count(state) for state in JobState if state in states}
