"""Questions about one job: what it is, its attempts, its result. Each function returns a Statement."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pgqueue.arguments.writing import MAX_DEPTH
from pgqueue.job import JobState
from pgqueue.record import Attempt, Job
from pgqueue.store.statement import Statement, query


def get(job_id: UUID) -> Statement[Job | None]:
    """One job in whatever state; None if there is none. Walks primary keys."""
    return Statement(query("job"), (job_id,), lambda rows: read_job(rows[0]) if rows else None)


def attempts(job_id: UUID, newest: int | None = None) -> Statement[list[Attempt]]:
    """The ended attempts of a job, oldest first, or the newest of very many. Walks attempts_pkey."""
    return Statement(query("attempts"), (job_id, newest), lambda rows: [Attempt(*row) for row in rows])


def result(job_id: UUID) -> Statement[tuple[bool, Any]]:
    """Whether a result is stored, and which. Walks results_pkey."""
    return Statement(_RESULT, (job_id,), lambda rows: (bool(rows), load_json(rows[0][0]) if rows else None))


_RESULT = """
select result::pg_catalog.text
from pgqueue.results
where job_id operator(pg_catalog.=) $1::pg_catalog.uuid and expires_at operator(pg_catalog.>) pg_catalog.now()
"""


def ids_between(first: UUID, last: UUID) -> Statement[tuple[UUID | None, UUID | None]]:
    """The first and the last job whose id lies between these two. O(log n)."""
    return Statement(query("ids"), (first, last), lambda rows: (rows[0][0], rows[0][1]))


def read_job(row: Sequence[Any]) -> Job:
    """A row with the columns of the view `pgqueue.job`, arguments and labels as texts."""
    values = list(row)
    values[3] = load_json(row[3])
    values[4] = JobState(row[4])
    values[15] = load_json(row[15])
    return Job(*values)


def load_json(text: str | None) -> Any:
    """JSON as a value; as the text it is, where Python cannot read it, or so deep that little else could."""
    if text is None:
        return None
    try:
        value = json.loads(text, parse_float=_finite)
    except (ValueError, RecursionError):
        return text
    brackets = text.count("[") + text.count("{")
    return text if brackets > MAX_DEPTH and _is_deeper(value, MAX_DEPTH) else value


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("beyond what Python counts as a number")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether containers lie in one another more than so many times; without recursion, which is what it guards."""
    inside = [value]
    for _ in range(levels + 1):
        inside = [each for container in inside for each in _contents(container)]
        if not inside:
            return False
    return True


def _contents(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
