"""Bulk actions, done batch by batch, each batch a transaction of its own.

How far an operation came is committed with its batch: whatever kills whoever drives it, each job is touched once. It
walks from the newest job to the oldest, and a job that comes meanwhile is not meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pgqueue.operations.plan import BATCH, Conn, asked, get, shown_to, top
from pgqueue.store import execute, operations, searching, secrecy
from pgqueue.store.looking import plan_soundly
from pgqueue.store.operations import Operation

# Seconds of one batch's look, and between two looks at what became of a trial.
LOOK, TRIAL_EVERY = 0.3, 1.0
Export = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of one step: `pause` seconds until the next one; None if the operation does not run any more."""

    pause: float | None


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
    below, shown = operation.below or top(operation, query), shown_to(conn, query)
    found = searching.search(conn, query, before=below, limit=most, seconds=LOOK, shown=shown)
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
    export(secrecy.lines_shown(conn, [text for _, text in rows]))
    return [job_id for job_id, _ in rows]
