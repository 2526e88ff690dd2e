"""How far jobs are, as they say, and where they go on if they are begun again."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pgqueue.job import Claim, JobState
from pgqueue.job_progress import Progress
from pgqueue.record import JobProgress, Watched
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, only_value

# Told by whoever writes progress down, while somebody watches.
CHANNEL = "pgqueue_progress"
# Jobs of one statement.
MOST = 1_000


def note(worker: int, said: Sequence[tuple[UUID, int, Progress]]) -> Statement[int]:
    """Write down how far jobs are, at most 1,000, each by its id and claim; answers how many count. O(jobs log n)."""
    now = time.monotonic()
    rows = [
        {
            "job": str(job_id),
            "claim": claim,
            "done": each.done,
            "total": each.total,
            "note": each.note,
            "age": max(0.0, now - each.at),
        }
        for job_id, claim, each in said
    ]
    text = json.dumps(rows, separators=(",", ":"))
    return Statement("select pgqueue.note_progress($1::bigint, $2::json)", (worker, text), only_value)


def of(ids: Sequence[UUID]) -> Statement[dict[UUID, JobProgress]]:
    """How far these jobs are, of those that say so. Walks progress_pkey; O(ids log n)."""
    return Statement(_OF, (list(ids),), lambda rows: {row[0]: JobProgress(*row) for row in rows})


_OF = """
select job_id, attempt, done, total, share, rate, rest, note, at
from pgqueue.job_progress where job_id operator(pg_catalog.=) any ($1::pg_catalog.uuid[])
"""


def seen(job_id: UUID) -> Statement[Watched | None]:
    """How a job is now, and how far; None if there is no such job. Walks primary keys; O(log n)."""
    return Statement(_SEEN, (job_id,), _read_seen)


_SEEN = """
select job.state, job.attempt, said.job_id, said.attempt, said.done, said.total, said.share, said.rate, said.rest,
       said.note, said.at
from pgqueue.job as job
left join pgqueue.job_progress as said on said.job_id operator(pg_catalog.=) job.id
where job.id operator(pg_catalog.=) $1::pg_catalog.uuid
"""


def checkpoint(claim: Claim, value: str | None) -> Statement[bool]:
    """Where its next attempt goes on, as JSON; False if this one is late. Without a value only that. O(log n)."""
    params = (claim.worker, claim.id, claim.claim, value)
    return Statement(_CHECKPOINT, params, only_value)


_CHECKPOINT = """
select pgqueue.checkpoint($1::pg_catalog.int8, $2::pg_catalog.uuid, $3::pg_catalog.int4, $4::pg_catalog.json)
"""


def checkpointed(job_id: UUID) -> Statement[tuple[int, Any] | None]:
    """The claim under which a job last said where it goes on, and that; None if it never did. O(log n)."""
    return Statement(_CHECKPOINTED, (job_id,), _read_checkpoint)


_CHECKPOINTED = """
select claim, value::pg_catalog.text from pgqueue.checkpoints where job_id operator(pg_catalog.=) $1::pg_catalog.uuid
"""


def watched() -> Statement[bool]:
    """Have progress told on CHANNEL, as long as this session lives; never waits."""
    return Statement("select pg_catalog.pg_try_advisory_lock_shared(7713, 0)", (), only_value)


def unwatched() -> Statement[bool]:
    """End watched()."""
    return Statement("select pg_catalog.pg_advisory_unlock_shared(7713, 0)", (), only_value)


def _read_seen(rows: Rows) -> Watched | None:
    if not rows:
        return None
    state, attempt, job_id, *said = rows[0]
    return Watched(JobState(state), attempt, None if job_id is None else JobProgress(job_id, *said))


def _read_checkpoint(rows: Rows) -> tuple[int, Any] | None:
    return (rows[0][0], json.loads(rows[0][1])) if rows else None
