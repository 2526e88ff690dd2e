"""Claims for tests: made up, or taken from the database as a worker takes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.ids import new_job_id
from pgqueue.job import Claim, NewJob
from pgqueue.store import enqueueing, execute, jobs, workers

TASKS = "tests.worker.sample_tasks"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def claim(name: str, *args: Any, target: str | None = None, **changes: Any) -> Claim:
    """A claim of a sample task that no database knows."""
    made_up = Claim(
        id=new_job_id(),
        claim=1,
        attempt=1,
        crashes=0,
        max_attempts=None,
        timeout=None,
        store_result=False,
        priority=5,
        queue="default",
        target=target or f"{TASKS}:{name}",
        args=json.dumps(args),
        labels=None,
        run_at=_EPOCH,
        worker=1,
    )
    return made_up._replace(**changes)


def claim_one(conn: psycopg.Connection[Any], new: NewJob, worker: int = 1) -> Claim:
    """Enqueue a job and claim it, committed, under the lease of `worker`."""
    execute(conn, enqueueing.enqueue(new))
    conn.execute("delete from pgqueue.workers where id = %s", [worker])
    execute(conn, workers.enlist(worker, "here", 1, None, "thread", 1, timedelta(seconds=30)))
    conn.commit()
    slot = jobs.Slot(new.queue or "default", 5, _EPOCH, UUID(int=0))
    (taken,) = execute(conn, jobs.step(worker, [], [slot], timedelta(0), 1)).claims
    conn.commit()
    return taken
