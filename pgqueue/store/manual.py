"""Jobs that wait for a human: which, since when, and what the human answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pgqueue.job import JobState
from pgqueue.record import ManualJob
from pgqueue.store.direct import Rows
from pgqueue.store.listing import LARGEST, TOO_LARGE
from pgqueue.store.reading import read_job
from pgqueue.store.statement import Statement, query

# So many are counted, where a number is asked for.
MOST_COUNTED = 10_000
_FIRST = (datetime(1900, 1, 1, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Answered:
    """The state of a job after a human's answer, and whether that answer made it; if not, nothing was changed."""

    state: JobState
    done: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many jobs wait for a human, of the first MOST_COUNTED, and since when the oldest does; None: none waits."""

    count: int
    oldest: datetime | None


def page(limit: int, after: tuple[datetime, UUID] | None = None) -> Statement[list[ManualJob]]:
    """Those that have waited longest, behind one. O(limit log n)."""
    params = (*(after or _FIRST), limit, LARGEST, TOO_LARGE)
    return Statement(query("manual"), params, lambda rows: [ManualJob(read_job(row[2:]), *row[:2]) for row in rows])


def waiting() -> Statement[Waiting]:
    """How many there are. O(MOST_COUNTED)."""
    return Statement(query("manual_count"), (MOST_COUNTED,), lambda rows: Waiting(*rows[0]))


def done(job_id: UUID, result: str | None, who: str, via: str, why: str | None = None) -> Statement[Answered | None]:
    """manual -> succeeded, with this result (JSON), and a row of the audit; None if there is no such job. O(log n)."""
    sql = """
    select state, done from pgqueue.manual_done(
      $1::pg_catalog.uuid, $2::pg_catalog.json, $3::pg_catalog.text, $4::pg_catalog.text, $5::pg_catalog.text)
    """
    return Statement(sql, (job_id, result, who, why, via), _read)


def fail(job_id: UUID, why: str | None, who: str, via: str) -> Statement[Answered | None]:
    """manual -> dead, and a row of the audit; None if there is no such job. O(log n)."""
    sql = """
    select state, done from pgqueue.manual_fail(
      $1::pg_catalog.uuid, $2::pg_catalog.text, $3::pg_catalog.text, $4::pg_catalog.text)
    """
    return Statement(sql, (job_id, why, who, via), _read)


def _read(rows: Rows) -> Answered | None:
    state, is_done = rows[0]
    return None if state is None else Answered(JobState(state), is_done)
