"""All shares of one executor: what that reports goes to the database whose worker id claimed the job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pgqueue.events import Finished, Observer
from pgqueue.job import Claim
from pgqueue.job_log import Said
from pgqueue.job_progress import Gauge
from pgqueue.worker.executors import EXECUTORS
from pgqueue.worker.executors.base import Executor, Lines, NoLines, Report, Retire, Settings
from pgqueue.worker.many.share import Share
from pgqueue.worker.many.sharing import Sharing

_NOWHERE = NoLines()


class Shares:
    """The executor, and who has a share of it; every method from any thread."""

    def __init__(self, kind: str, settings: Settings, observe: Observer, retire: Retire) -> None:
        self._shares: dict[int, Share] = {}
        self._sharing = Sharing(settings.concurrency)
        self._watched = False
        self.executor: Executor = EXECUTORS[kind](settings, self._report, observe, retire, self)

    def maker(self, dsn: str) -> Callable[[int, Settings, Report, Observer, Retire, Lines], Executor]:
        """What makes a share for each worker id of this database."""

        def make(worker: int, _: Settings, report: Report, _observe: Observer, _retire: Retire, lines: Lines) -> Share:
            share = Share(worker, dsn, self.executor, self._sharing, report, lines, self._watch_starts)
            self._shares[worker] = share
            return share

        return make

    def drop(self, worker: int) -> None:
        """Nobody works under this worker id any more; what may still be said of it is not heard."""
        self._shares.pop(worker, None)

    def _report(self, batch: Sequence[Finished]) -> None:
        by_worker: dict[int, list[Finished]] = {}
        for done in batch:
            by_worker.setdefault(done.claim.worker, []).append(done)
        for worker, ended in by_worker.items():
            if (share := self._shares.get(worker)) is not None:
                share.ended_here(ended)

    def _watch_starts(self) -> None:
        """One of the databases wants to know of starts; costs the others a call for each."""
        if not self._watched:
            self._watched = True
            self.executor.watch_starts(self._begun)

    def _begun(self, claim: Claim) -> None:
        share = self._shares.get(claim.worker)
        if share is not None and share.begun is not None:
            share.begun(claim)

    # What the executor asks of lines.

    def of(self, worker: int) -> Lines:
        """Those of a worker id's database."""
        share = self._shares.get(worker)
        return _NOWHERE if share is None else share.lines

    def ring(self) -> None:
        """Have somebody look whether there are lines."""
        for share in tuple(self._shares.values()):
            share.lines.ring()

    def put(self, said: Said) -> None:
        """Not asked: a line belongs to a worker id."""
        raise AssertionError("lines are put by of()")

    def show(self, gauge: Gauge) -> None:
        """Not asked, as put()."""
        raise AssertionError("gauges are shown by of()")
