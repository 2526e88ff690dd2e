"""Jobs that wait, as a test looks at them: also those of its own transaction, which nobody else sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pgqueue.store.direct import Rows
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, nothing


class Unclaimed(NamedTuple):
    """A job that waits. `args` is JSON text; `due_in` seconds by the server's clock, 0 or less if it is due."""

    id: UUID
    target: str
    queue: str
    args: str
    priority: int
    attempt: int
    run_at: datetime
    created_at: datetime
    due_in: float
    unique_key: str | None
    limit_key: str | None
    labels: Mapping[str, str]


def unclaimed(target: str | None, queue: str | None, limit: int) -> Statement[list[Unclaimed]]:
    """The newest jobs that wait, oldest first; of one target or queue, or of all. Walks jobs_pkey from its end."""
    return Statement(_UNCLAIMED, (target, queue, limit), _read)


_UNCLAIMED = """
select job.id, job.target, job.queue, job.args::pg_catalog.text, job.priority::pg_catalog.int4,
       job.attempt::pg_catalog.int4, job.run_at, job.created_at,
       pg_catalog.date_part(
         'epoch', job.run_at operator(pg_catalog.-) pg_catalog.clock_timestamp())::pg_catalog.float8,
       coalesce(job.start_key, job.unique_key), job.limit_key, job.labels::pg_catalog.text
from pgqueue.jobs as job
where job.worker is null
  and ($1::pg_catalog.text is null or job.target operator(pg_catalog.=) $1::pg_catalog.text)
  and ($2::pg_catalog.text is null or job.queue operator(pg_catalog.=) $2::pg_catalog.text)
order by job.id desc
limit $3::pg_catalog.int4
"""


def alike(job_id: UUID, limit: int) -> Statement[list[UUID]]:
    """Jobs that are due and may run in one call with this one, which runs; none if it has limits. Scans jobs."""
    return Statement(_ALIKE, (job_id, limit), lambda rows: [row[0] for row in rows])


_ALIKE = """
select job.id
from pgqueue.jobs as lead
join pgqueue.jobs as job
  on job.target operator(pg_catalog.=) lead.target and job.queue operator(pg_catalog.=) lead.queue
 and job.limit_key is not distinct from lead.limit_key
where lead.id operator(pg_catalog.=) $1::pg_catalog.uuid and lead.lane is null
  and job.worker is null and job.lane is null and job.run_at operator(pg_catalog.<=) pg_catalog.clock_timestamp()
  and job.attempt operator(pg_catalog.=) (lead.attempt operator(pg_catalog.-) 1)
order by job.priority desc, job.run_at, job.id
limit $2::pg_catalog.int4
"""


def as_if_tried(job_id: UUID, attempts: int) -> Statement[None]:
    """Have a waiting job begin with a later attempt. O(log n)."""
    sql = """
    update pgqueue.jobs as job set attempt = $2::pg_catalog.int4, claim = $2::pg_catalog.int4
    where job.id operator(pg_catalog.=) $1::pg_catalog.uuid and job.worker is null
    """
    return Statement(sql, (job_id, attempts), nothing)


def brought_by(job_id: UUID) -> Statement[list[UUID]]:
    """The jobs that a job has brought, and that wait; in their order. Walks lineage_children and jobs_pkey."""
    return Statement(_BROUGHT_BY, (job_id,), lambda rows: [row[0] for row in rows])


_BROUGHT_BY = """
select child.job_id
from pgqueue.lineage as child
join pgqueue.jobs as job on job.id operator(pg_catalog.=) child.job_id
where child.parent_id operator(pg_catalog.=) $1::pg_catalog.uuid and job.worker is null
order by child.nth
limit 10000
"""


def begun_of(workflow: UUID, but: Sequence[UUID]) -> Statement[list[UUID]]:
    """The jobs of a workflow that wait for a worker, but these, in order; at most 100. O(jobs of the workflow)."""
    sql = """
    select job.id from pgqueue.jobs as job
    where job.workflow_id operator(pg_catalog.=) $1::pg_catalog.uuid and job.worker is null
      and job.id operator(pg_catalog.<>) all ($2::pg_catalog.uuid[])
    order by job.id limit 100
    """
    return Statement(sql, (workflow, list(but)), lambda rows: [row[0] for row in rows])


def bring_within_reach() -> Statement[None]:
    """Have what fell due since this transaction began be due in it, too, where time stands still. Scans jobs."""
    return Statement(_WITHIN_REACH, (), nothing)


_WITHIN_REACH = """
update pgqueue.jobs as job set run_at = pg_catalog.now()
where job.worker is null and job.run_at operator(pg_catalog.>) pg_catalog.now()
  and job.run_at operator(pg_catalog.<=) pg_catalog.clock_timestamp()
"""


def _read(rows: Rows) -> list[Unclaimed]:
    return [Unclaimed._make((*row[:-1], load_json(row[-1]) or {})) for row in reversed(rows)]
