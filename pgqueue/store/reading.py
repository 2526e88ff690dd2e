"""Questions about jobs: one by id, a page of them, attempts and results. Each function returns a Statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pgqueue.job import Attempt, Job, JobState
from pgqueue.store.statement import Statement, query


def get(job_id: UUID) -> Statement[Job | None]:
    """One job in whatever state; None if there is none. Walks primary keys."""
    return Statement(query("job"), (job_id,), lambda rows: _job(rows[0]) if rows else None)


def listing(
    *, states: Sequence[JobState], queue: str | None, target: str | None, limit: int, before: UUID | None = None
) -> Statement[list[Job]]:
    """Jobs in `states`, newest id first, at most `limit`, below `before` to page on."""
    params = (list(states), queue, target, before, limit)
    return Statement(query("jobs"), params, lambda rows: [_job(row) for row in rows])


def attempts(job_id: UUID) -> Statement[list[Attempt]]:
    """The ended attempts of a job, oldest first. Walks attempts_pkey."""
    return Statement(query("attempts"), (job_id,), lambda rows: [Attempt(*row) for row in rows])


def result(job_id: UUID) -> Statement[tuple[bool, Any]]:
    """Whether a result is stored, and which. Walks results_pkey."""
    return Statement(_RESULT, (job_id,), lambda rows: (bool(rows), json.loads(rows[0][0]) if rows else None))


_RESULT = """
select result::pg_catalog.text
from pgqueue.results
where job_id operator(pg_catalog.=) $1::pg_catalog.uuid and expires_at operator(pg_catalog.>) pg_catalog.now()
"""


def ids_between(first: UUID, last: UUID) -> Statement[tuple[UUID | None, UUID | None]]:
    """The first and the last job whose id lies between these two. O(log n)."""
    return Statement(query("ids"), (first, last), lambda rows: (rows[0][0], rows[0][1]))


def _job(row: Sequence[Any]) -> Job:
    values = list(row)
    values[3] = _load(row[3])
    values[4] = JobState(row[4])
    values[15] = _load(row[15])
    return Job(*values)


def _load(text: str | None) -> Any:
    """JSON as a value; as the text it is, where Python cannot read it."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text
