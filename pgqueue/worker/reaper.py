"""The reaper: takes back the jobs of vanished workers. Every worker does it; they pass each other by."""

from __future__ import annotations

from pgqueue.events import LeasesReaped, Observer
from pgqueue.store import execute, workers
from pgqueue.worker.loop import Connection


def reap(conn: Connection, observe: Observer) -> None:
    """One look at the leases; costs next to nothing while all workers are well."""
    # Of a worker whose last job is about to commit there is nothing to take, again and again.
    reaped = [(worker, jobs) for worker, jobs in execute(conn, workers.reap()) if jobs]
    if reaped:
        observe(LeasesReaped([worker for worker, _ in reaped], sum(jobs for _, jobs in reaped)))
