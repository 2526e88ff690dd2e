"""The reaper: takes back the jobs of vanished workers. Every worker does it; they pass each other by."""

from __future__ import annotations

from pgqueue.events import LeasesReaped, Observer
from pgqueue.store import execute, workers
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.portion import Portion


def reap(conn: Connection, observe: Observer, portion: Portion) -> bool:
    """One look at the leases, which costs next to nothing while all workers are well; True if it wants to go on."""
    found = portion.spend(lambda pages: execute(conn, workers.reap(pages)))
    # Of a worker whose last job is about to commit there is nothing to take, again and again.
    reaped = {worker: jobs for worker, jobs in found.jobs.items() if jobs}
    if reaped:
        observe(LeasesReaped(list(reaped), sum(reaped.values())))
    return found.unfinished


def reap_orphans(conn: Connection, observe: Observer, portion: Portion) -> None:
    """Take back jobs whose worker has no row any more: somebody deleted it by hand. Reads a bounded part of `jobs`."""
    if jobs := portion.spend(lambda pages: execute(conn, workers.reap_orphans(pages))):
        observe(LeasesReaped([], jobs))
