"""Time travel of tests: what is to come moves nearer, since the server's clock cannot be moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from pgqueue.store.statement import Statement, nothing, only_value


class Moved(NamedTuple):
    """A waiting job that was moved, and when it is due since; or a unique key, and until when it is held since."""

    what: UUID | str
    at: datetime


def now() -> Statement[datetime]:
    """What the server's clock says."""
    return Statement("select pg_catalog.clock_timestamp()", (), only_value)


def bring_nearer(by: timedelta) -> Statement[list[Moved]]:
    """Have waiting jobs fall due, and expire, sooner by so much; answers which. Scans jobs."""
    return Statement(_NEARER, (by,), lambda rows: [Moved(*row) for row in rows])


# Not before the constraint jobs_run_at.
_NEARER = """
update pgqueue.jobs as job
set run_at = greatest(job.run_at operator(pg_catalog.-) $1::pg_catalog.interval, '1900-01-02 00:00+00'),
    expires_at = job.expires_at operator(pg_catalog.-) $1::pg_catalog.interval
where job.worker is null
returning job.id, job.run_at
"""


def send_back(by: timedelta, moved: Sequence[Moved]) -> Statement[None]:
    """Undo bring_nearer() for those that wait as they were left. Walks jobs_pkey."""
    return Statement(_BACK, (by, [each.what for each in moved], [each.at for each in moved]), nothing)


_BACK = """
update pgqueue.jobs as job
set run_at = job.run_at operator(pg_catalog.+) $1::pg_catalog.interval,
    expires_at = job.expires_at operator(pg_catalog.+) $1::pg_catalog.interval
from rows from (pg_catalog.unnest($2::pg_catalog.uuid[]), pg_catalog.unnest($3::pg_catalog.timestamptz[]))
       as told (id, run_at)
where job.id operator(pg_catalog.=) told.id and job.run_at operator(pg_catalog.=) told.run_at and job.worker is null
"""


def shorten_sleeps(by: timedelta) -> Statement[list[tuple[UUID, str, str, datetime]]]:
    """Have sleeps and waits of durable functions end sooner by so much; answers which. Scans steps."""
    return Statement(_SOONER, (by,), lambda rows: [(row[0], row[1], row[2], row[3]) for row in rows])


_SOONER = """
update pgqueue.steps as step set until = step.until operator(pg_catalog.-) $1::pg_catalog.interval
where step.until is not null and step.result is null
returning step.job_id, step.kind, step.name, step.until
"""


def lengthen_sleeps(by: timedelta, moved: Sequence[tuple[UUID, str, str, datetime]]) -> Statement[None]:
    """Undo shorten_sleeps() for those that are as they were left, and not over. Walks steps_pkey."""
    columns = [list(column) for column in zip(*moved, strict=True)] or [[], [], [], []]
    return Statement(_LATER, (by, *columns), nothing)


_LATER = """
update pgqueue.steps as step set until = step.until operator(pg_catalog.+) $1::pg_catalog.interval
from rows from (pg_catalog.unnest($2::pg_catalog.uuid[]), pg_catalog.unnest($3::pg_catalog.text[]),
                pg_catalog.unnest($4::pg_catalog.text[]), pg_catalog.unnest($5::pg_catalog.timestamptz[]))
       as told (job_id, kind, name, until)
where step.job_id operator(pg_catalog.=) told.job_id and step.kind operator(pg_catalog.=) told.kind
  and step.name operator(pg_catalog.=) told.name and step.until operator(pg_catalog.=) told.until
  and step.until operator(pg_catalog.>) pg_catalog.clock_timestamp() and step.result is null
"""


def shorten_windows(by: timedelta) -> Statement[list[Moved]]:
    """Have what `unique_for` holds end sooner by so much; answers which keys. Scans unique_windows."""
    return Statement(_SHORTER, (by,), lambda rows: [Moved(*row) for row in rows])


_SHORTER = """
update pgqueue.unique_windows as held set until = held.until operator(pg_catalog.-) $1::pg_catalog.interval
returning held.unique_key, held.until
"""


def restore_windows(by: timedelta, moved: Sequence[Moved]) -> Statement[None]:
    """Undo shorten_windows() for those that are held as they were left. Walks unique_windows_pkey."""
    return Statement(_LONGER, (by, [each.what for each in moved], [each.at for each in moved]), nothing)


_LONGER = """
update pgqueue.unique_windows as held set until = held.until operator(pg_catalog.+) $1::pg_catalog.interval
from rows from (pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.timestamptz[]))
       as told (unique_key, until)
where held.unique_key operator(pg_catalog.=) told.unique_key and held.until operator(pg_catalog.=) told.until
"""
