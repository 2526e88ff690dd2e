"""The home of a job: the database that it comes from, where its own connections lead, too.

A worker of one database has one. Of several each has an Attempts of its own, which is told apart by the worker id that
claimed the job; those that were not used for long are closed, so that a slot holds connections to a few databases only.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from itertools import count

from pgqueue.context import WorkerPhase
from pgqueue.job import Claim
from pgqueue.worker.attempts.attempt import Attempts

# So many databases a slot keeps connections to.
MOST_OPEN = 16


class Homes:
    """of() and close() are for the thread that runs the jobs, the others for any.

    `make` makes the Attempts of a DSN and a worker id; `move` is called with the DSN before a job with another home.
    """

    def __init__(self, make: Callable[[str, int], Attempts], dsn: str, move: Callable[[str], None]) -> None:
        self._make = make
        self._move = move
        self._only = make(dsn, 0)
        # What follows is by worker id, and empty for a worker of one database.
        self._dsns: dict[int, str] = {}
        self._declared: dict[int, Container[str]] = {}
        self._phases: dict[int, WorkerPhase] = {}
        self._open: dict[int, Attempts] = {}
        self._used: dict[int, int] = {}
        self._uses = count()
        self._here: str | None = None

    def of(self, claim: Claim) -> Attempts:
        """What runs this claim."""
        return self._home(claim.worker) if self._dsns else self._only

    def enter(self, worker: int, dsn: str) -> None:
        """Jobs of this worker id are at home there."""
        self._dsns[worker] = dsn

    def leave(self, worker: int) -> None:
        """There are no more of them. What is open for them is closed with the next job."""
        self._dsns.pop(worker, None)
        self._declared.pop(worker, None)
        self._phases.pop(worker, None)

    def declared(self, targets: Container[str] | None, worker: int | None) -> None:
        """What the database of a worker id knows of, that of the only one if there is none."""
        if worker is None:
            self._only.declared = targets
        elif targets is not None:
            # _home() does both in the other order: one of the two sees the other.
            self._declared[worker] = targets
            if (home := self._open.get(worker)) is not None:
                home.declared = targets

    def tell_phase(self, phase: WorkerPhase, worker: int | None) -> None:
        """What the worker is about, in one database or in all."""
        if worker is None:
            self._only.tell_phase(phase)
            for home in tuple(self._open.values()):
                home.tell_phase(phase)
        else:
            self._phases[worker] = phase
            if (open_home := self._open.get(worker)) is not None:
                open_home.tell_phase(phase)

    @property
    def found(self) -> frozenset[str]:
        """The targets that were found so far."""
        return self._only.found.union(*(home.found for home in tuple(self._open.values())))

    def close(self) -> None:
        """Close all connections."""
        self._only.close()
        while self._open:
            self._open.popitem()[1].close()

    def _home(self, worker: int) -> Attempts:
        dsn = self._dsns.get(worker, "")
        if (home := self._open.get(worker)) is None:
            self._make_room()
            home = self._open[worker] = self._make(dsn, worker)
            # Until its worker has said what the database knows of, nothing begins that it must know.
            home.declared = self._declared.get(worker, ())
            home.tell_phase(self._phases.get(worker, WorkerPhase.WORKING))
        self._used[worker] = next(self._uses)
        if dsn != self._here:
            self._here = dsn
            self._move(dsn)
        return home

    def _make_room(self) -> None:
        gone = [worker for worker in self._open if worker not in self._dsns]
        for worker in gone:
            self._close(worker)
        if len(self._open) >= MOST_OPEN:
            self._close(min(self._open, key=lambda worker: self._used[worker]))

    def _close(self, worker: int) -> None:
        self._used.pop(worker, None)
        self._open.pop(worker).close()
