"""The aims: whom a fault must hit to be dangerous, as the ledger and pgqueue's tables tell at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg

Conn = psycopg.Connection[Any]


# So long that it can be met twice, and with little before it in the queue the second time.
LONG = "(job.args ->> 0)::float8 > 0.5 and job.priority >= 5"


class Aim(StrEnum):
    """What the attempt must be in the middle of. Each is a condition of RUNNING."""

    ANY = "true"
    IN_CHILD = "start.pid <> worker.pid"
    ONCE = "asked.kind = 'once'"
    WROTE = "sign.wrote"
    # What the child has brought to its end is told by the worker, later: too late, if it was stopped meanwhile.
    SUCCEEDING = f"start.pid <> worker.pid and asked.kind in ('plain', 'answers') and {LONG}"
    # Goes on until it is told that its time is up, or another has begun its job.
    LASTING = "start.pid <> worker.pid and asked.kind = 'overruns' and start.attempt = 1"
    FAILING = f"start.pid <> worker.pid and asked.kind = 'fails' and start.attempt <= asked.fails and {LONG}"


RUNNING = """
select start.job_id, start.claim, start.pid, worker.pid
from pgqueue.jobs as job
join verify.starts as start on start.job_id = job.id and start.claim = job.claim and start.worker = job.worker
join pgqueue.workers as worker on worker.id = job.worker
join verify.asked as asked on asked.job_id = job.id and asked.created
cross join lateral (
  select count(*) filter (where what = 'wrote') > 0 as wrote, count(*) filter (where what <> 'wrote') > 0 as over
  from verify.ends where ends.job_id = start.job_id and ends.claim = start.claim) as sign
where not sign.over and worker.expires_at > clock_timestamp() and {}
order by job.priority desc, start.job_id
"""
TAKEN_OVER = """
select exists (
  select from pgqueue.jobs as job where job.id = theirs.job_id and job.claim = theirs.claim and job.worker is not null)
from verify.starts as theirs
where theirs.job_id = %(job)s and theirs.claim > %(claim)s
  and (not %(child)s or exists (
    select from verify.ends as mine
    where mine.job_id = theirs.job_id and mine.claim = %(claim)s and mine.what in ('returned', 'raised')))
order by theirs.claim desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Victim:
    """A running attempt: its token, the process that runs it, and the worker's."""

    job_id: UUID
    claim: int
    pid: int
    worker_pid: int

    @property
    def in_child(self) -> bool:
        return self.pid != self.worker_pid


def victims(conn: Conn, aim: Aim) -> list[Victim]:
    """The attempts that run now and are worth it, the most urgent first."""
    return [Victim(*row) for row in conn.execute(RUNNING.format(aim).encode())]


def is_taken_over(conn: Conn, victim: Victim) -> bool | None:
    """Whether another runs its job; None while nobody has begun it, or the child that had it has not finished it."""
    values = {"job": victim.job_id, "claim": victim.claim, "child": victim.in_child}
    (runs,) = conn.execute(TAKEN_OVER, values).fetchone() or (None,)
    return runs
