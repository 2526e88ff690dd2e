"""Jobs brought into a state as a worker would, for tests that look at them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.job import Claim
from pgqueue.judge import judge
from pgqueue.outcome import Ended, ErrorReport, Reason, Settlement, Succeeded
from pgqueue.store import execute, jobs, workers

WORKER = 4711
TRACEBACK = 'Traceback (most recent call last):\n  File "shop.py", line 1, in send\nValueError: no paper\n'


def claimed(conn: psycopg.Connection[Any], job_id: str) -> Claim:
    """The job, running under the lease of worker 4711."""
    if not conn.execute("select 1 from pgqueue.workers where id = %s", [WORKER]).fetchone():
        execute(conn, workers.enlist(WORKER, "shop-1", 99, ["mail"], "thread", 4, timedelta(minutes=5)))
    conn.commit()
    claim = execute(conn, jobs.claim_one(WORKER, UUID(job_id)))
    conn.commit()
    assert claim
    return claim


def buried(conn: psycopg.Connection[Any], job_id: str, reason: Reason = Reason.EXHAUSTED) -> None:
    """The job, dead after one attempt."""
    claim = claimed(conn, job_id)
    error = ErrorReport("ValueError", "no paper", TRACEBACK)
    assert not execute(conn, jobs.fail(WORKER, [judge(claim, Ended(reason, error))]))
    conn.commit()


def succeeded(conn: psycopg.Connection[Any], job_id: str, result: str | None = None) -> None:
    """The job, ended well."""
    settlement: Settlement = judge(claimed(conn, job_id), Succeeded(result))
    assert not execute(conn, jobs.step(WORKER, [settlement], [], timedelta(0), 0)).late
    conn.commit()


def live_ids(conn: psycopg.Connection[Any]) -> list[str]:
    """The ids of the jobs that have not ended."""
    found = [str(row[0]) for row in conn.execute("select id from pgqueue.jobs order by id")]
    conn.rollback()
    return found
