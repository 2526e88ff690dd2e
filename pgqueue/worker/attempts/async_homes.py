"""The homes of the jobs of one event loop: as homes.py, for any number of attempts at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from itertools import count

from pgqueue.context import be_at_home_here
from pgqueue.job import Claim
from pgqueue.worker.attempts.async_attempts import AsyncAttempts

# Connections to so many databases are kept while no job of theirs runs.
MOST_OPEN = 16


class AsyncHomes:
    """Used in the loop's thread, but for enter(). `make` makes what runs the attempts of a DSN and a worker id.

    With `job_dsn` jobs are at home there: it is a way of another login to the only database.
    """

    def __init__(self, make: Callable[[str, int], AsyncAttempts], dsn: str, job_dsn: str | None = None) -> None:
        self._make = make
        self._job_dsn = job_dsn
        self._only = make(dsn, 0)
        # What follows is by worker id, and empty for a worker of one database.
        self._dsns: dict[int, str] = {}
        self._open: dict[int, AsyncAttempts] = {}
        self._used: dict[int, int] = {}
        self._uses = count()

    @property
    def many(self) -> bool:
        """Whether there is more than one."""
        return bool(self._dsns)

    def enter(self, worker: int, dsn: str) -> None:
        """Jobs of this worker id are at home there; from any thread."""
        self._dsns[worker] = dsn

    def leave(self, worker: int) -> None:
        """There are no more of them."""
        self._dsns.pop(worker, None)
        self._used.pop(worker, None)
        if (home := self._open.pop(worker, None)) is not None:
            home.close()

    def context(self, claim: Claim) -> Context:
        """A context of its own for a job: what one sets, no other finds."""
        context = Context()
        if self._dsns:
            context.run(be_at_home_here, self._dsns.get(claim.worker, ""))
        elif self._job_dsn is not None:
            context.run(be_at_home_here, self._job_dsn)
        return context

    def of(self, claim: Claim) -> AsyncAttempts:
        """What runs this claim."""
        if not self._dsns:
            return self._only
        worker = claim.worker
        self._used[worker] = next(self._uses)
        if (home := self._open.get(worker)) is None:
            home = self._open[worker] = self._make(self._dsns.get(worker, ""), worker)
            if len(self._open) > MOST_OPEN:
                # Connections that jobs have been lent go with the last of these jobs.
                self._open.pop(min(self._open, key=lambda each: self._used.get(each, 0))).close()
        return home

    def close(self) -> None:
        """Close all connections that nobody uses."""
        self._only.close()
        while self._open:
            self._open.popitem()[1].close()
