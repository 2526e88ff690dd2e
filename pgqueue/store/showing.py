"""One job for a page: its arguments and its result as the texts that they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pgqueue.record import Job
from pgqueue.store.direct import Rows
from pgqueue.store.reading import read_job
from pgqueue.store.statement import Statement, query

# Bytes, as stored: what is larger is read by those alone who ask for it.
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class JobShown:
    """A job, and since when no live worker knows its target.

    `args` and `labels` are JSON texts, None where they are too large, or there are none. `result` is one, too: None if
    none is stored, empty if it is too large.
    """

    job: Job
    args: str | None
    labels: str | None
    unknown_since: datetime | None
    result: str | None


def shown(job_id: UUID, largest: int = LARGEST) -> Statement[JobShown | None]:
    """A job for a page; None if there is none. Walks primary keys."""
    return Statement(query("job_shown"), (job_id, largest), _read)


def _read(rows: Rows) -> JobShown | None:
    if not rows:
        return None
    (*row, unknown_since, result), args, labels = rows[0], rows[0][3], rows[0][15]
    row[3] = row[15] = None
    return JobShown(read_job(row), args, labels, unknown_since, result)
