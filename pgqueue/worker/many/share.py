"""One database's share of an executor: to its roles it looks as an executor of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from time import monotonic
from uuid import UUID

from pgqueue.context import WorkerPhase
from pgqueue.events import Finished
from pgqueue.job import Claim, Token, each_of
from pgqueue.worker.allotment import Allotment
from pgqueue.worker.executors.base import Executor, Leftover, Lines, Report, Whereabouts
from pgqueue.worker.executors.judging import left_over
from pgqueue.worker.many.common import Common
from pgqueue.worker.many.sharing import Seat, Sharing

# How often stop() looks whether all that runs has ended, seconds; mostly it is told.
_STEP = 0.05


class Share(Common):
    """Of `executor`, for the jobs that one worker id claims; `report` and `lines` are of its database.

    `watch_starts` has the executor tell of attempts that begin.
    """

    def __init__(
        self,
        worker: int,
        dsn: str,
        executor: Executor,
        sharing: Sharing,
        report: Report,
        lines: Lines,
        watch_starts: Callable[[], None],
    ) -> None:
        self.worker = worker
        self.lines = lines
        self.allotment: Allotment | None = self
        self.concurrency = executor.concurrency
        self.begun: Callable[[Claim], None] | None = None
        super().__init__(executor)
        self._dsn = dsn
        self._sharing = sharing
        self._report = report
        self._watch_starts = watch_starts
        self._seat = Seat()
        self._ended = 0
        self._killed = self._stopping = False
        # What the executor has of it: each claim, and the call that it is a part of.
        self._held: dict[Token, tuple[Claim, _Call]] = {}
        self._emptied = threading.Condition()  # guards _held, and tells of each end

    # What the claim loop asks of an allotment.

    @property
    def wake(self) -> Callable[[], None]:
        """Has the claim loop look."""
        return self._seat.wake

    @wake.setter
    def wake(self, wake: Callable[[], None]) -> None:
        self._seat.wake = wake

    @property
    def slots(self) -> int:
        """How many slots are its own, as was said last."""
        return self._seat.own

    def ask(self, ahead: int) -> int:
        """How many slots are its own."""
        return self._sharing.own(self._seat, ahead)

    def want(self, more: bool) -> None:
        """Whether it would use more."""
        self._sharing.want(self._seat, more)

    # What roles ask of an executor.

    def start(self) -> None:
        """Take part; the executor runs already."""
        self._executor.enter(self.worker, self._dsn)
        self._sharing.join(self._seat)

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims."""
        with self._emptied:
            for claim in claims:
                together = each_of(claim)
                call = _Call(len(together))
                self._held.update((each.token, (each, call)) for each in together)
        self._sharing.took(self._seat, len(claims))
        self._executor.submit(claims)

    def load(self) -> int:
        """Calls that are not yet reported or given back."""
        return self._seat.load

    def ended(self) -> int:
        """How many calls have ended."""
        return self._ended

    def ended_here(self, batch: Sequence[Finished]) -> None:
        """The executor reports attempts; from any thread."""
        calls = self._gone([done.claim for done in batch])
        self._ended += calls
        self._report(batch)
        self._sharing.ended(self._seat, calls)

    def give_back(self, waited: float, of: int | None = None) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for a slot."""
        old = self._executor.give_back(waited, self.worker)
        self._sharing.ended(self._seat, self._gone(old))
        return old

    def cancel(self, ids: Collection[UUID], of: int | None = None) -> None:
        """Tell those of its jobs that they were cancelled."""
        self._executor.cancel(ids, self.worker)

    def stop(self, timeout: float) -> list[Leftover]:
        """Wait for what runs here, end the rest of it after `timeout` seconds, and return it; the executor goes on."""
        if self._stopping:
            return []
        self._stopping = True
        self._executor.tell_phase(WorkerPhase.STOPPING, self.worker)
        left = [Leftover(each, started=False) for each in self.give_back(0.0)]
        self._await_end(monotonic() + timeout)
        if self._held:
            left += self._left_behind([] if self._killed else self._executor.end(self.worker))
        self.leave(self.worker)
        return left

    def fence(self) -> list[Leftover]:
        """As stop(0), at once."""
        self._stopping = True
        left = self._left_behind(self._executor.end(self.worker))
        self.leave(self.worker)
        return left

    def leave(self, worker: int) -> None:
        """Take part no more."""
        self._sharing.leave(self._seat)
        self._executor.leave(worker)

    def kill(self) -> None:
        """End all running user code: a second signal is meant for the whole worker."""
        self._killed = True
        self._executor.kill()

    def declared(self, targets: Collection[str], of: int | None = None) -> None:
        """Its database knows of these."""
        self._executor.declared(targets, self.worker)

    def tell_phase(self, phase: WorkerPhase, of: int | None = None) -> None:
        """Its enlistment is about something else."""
        self._executor.tell_phase(phase, self.worker)

    def crash_running(self, of: int | None = None) -> None:
        """End what runs of it, as a crash."""
        self._executor.crash_running(self.worker)

    def watch_starts(self, begun: Callable[[Claim], None]) -> None:
        """Tell of each of its attempts that it has begun."""
        self.begun = begun
        self._watch_starts()

    def running(self) -> list[tuple[Claim, float]]:
        """What runs of it, and for how long."""
        return [each for each in self._executor.running() if each[0].worker == self.worker]

    def whereabouts(self) -> list[Whereabouts]:
        """Where what runs of it is in its code."""
        return [each for each in self._executor.whereabouts() if each.claim.worker == self.worker]

    def enter(self, worker: int, dsn: str) -> None:
        """Not asked of a share."""
        raise AssertionError("a share is of one worker id")

    def end(self, worker: int) -> list[Leftover]:
        """As fence()."""
        return self.fence()

    def _gone(self, claims: Sequence[Claim]) -> int:
        """These are not here any more; answers how many calls have ended with that."""
        ended = 0
        with self._emptied:
            for claim in claims:
                if (held := self._held.pop(claim.token, None)) is not None:
                    held[1].left -= 1
                    ended += not held[1].left
            if not self._held:
                self._emptied.notify_all()
        return ended

    def _await_end(self, deadline: float) -> None:
        with self._emptied:
            while self._held and not self._killed and (left := deadline - monotonic()) > 0:
                self._emptied.wait(min(left, _STEP))

    def _left_behind(self, told: Sequence[Leftover]) -> list[Leftover]:
        """What the executor tells that it leaves behind, and what it was given and says nothing of: that may run."""
        known = {each.claim.token for each in told}
        with self._emptied:
            silent = [claim for token, (claim, _) in self._held.items() if token not in known]
            self._held.clear()
        left = list(told)
        for claim in silent:
            match left_over(claim, self.terms(claim.target), 0.0, cancelled=False):
                case Leftover() as leftover:
                    left.append(leftover)
                case lost:
                    self._report((lost,))
        return left


class _Call:
    """One call that the executor makes: of how many of its claims the end is not known."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left
