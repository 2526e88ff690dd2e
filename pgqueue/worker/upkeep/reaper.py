"""The reaper: takes back the jobs of vanished workers. Every worker does it; they pass each other by."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from pgqueue.events import Finished, LeasesReaped, Observer
from pgqueue.store import dead, execute, workers
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.portion import Portion

# Jobs that are read at once, whatever their arguments; and that are told of at all, as many as can wait for hooks.
READ, TOLD = 20, 1_000


class Mourner(Protocol):
    """Whoever is to be told of jobs that are dead because their worker vanished."""

    def mourns(self) -> bool:
        """Whether anybody wants to know."""

    def buried(self, done: Finished) -> None:
        """Such a job; returns at once."""


def reap(conn: Connection, observe: Observer, portion: Portion, mourner: Mourner | None = None) -> bool:
    """One look at the leases, which costs next to nothing while all workers are well; True if it wants to go on."""
    telling = mourner is not None and mourner.mourns()
    found = portion.spend(lambda pages: execute(conn, workers.reap(pages, telling=telling)))
    # Of a worker whose last job is about to commit there is nothing to take, again and again.
    reaped = {worker: jobs for worker, jobs in found.jobs.items() if jobs}
    if reaped:
        observe(LeasesReaped(list(reaped), sum(reaped.values())))
    if mourner is not None and found.dead:
        _tell(conn, mourner, found.dead[:TOLD])
    return found.unfinished


def reap_orphans(conn: Connection, observe: Observer, portion: Portion) -> None:
    """Take back jobs whose worker has no row any more: somebody deleted it by hand. Reads a bounded part of `jobs`."""
    if jobs := portion.spend(lambda pages: execute(conn, workers.reap_orphans(pages))):
        observe(LeasesReaped([], jobs))


def _tell(conn: Connection, mourner: Mourner, ids: list[UUID]) -> None:
    for first in range(0, len(ids), READ):
        for claim, settlement in execute(conn, dead.lost(ids[first : first + READ])):
            mourner.buried(Finished(claim, settlement, 0.0))
