"""Worker ids whose jobs end while those of others go on: what runs ends with its child, the rest never begins."""

from __future__ import annotations

from collections.abc import Sequence
from queue import SimpleQueue

from pgqueue.worker.executors.base import Leftover
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.feeder import Feeder
from pgqueue.worker.executors.process.finished_claims import FinishedClaims
from pgqueue.worker.executors.process.kill_reasons import KillCause

# Where somebody waits for what was not reported.
LeftBehind = SimpleQueue[list[Leftover]]


class Leaving:
    """Used by the thread that serves the children alone."""

    def __init__(self, feeder: Feeder, finished: FinishedClaims) -> None:
        self._feeder = feeder
        self._finished = finished
        # Who waits for what is left over; None: nobody any more.
        self._waiting: dict[int, LeftBehind | None] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __contains__(self, worker: int) -> bool:
        return worker in self._waiting

    def begin(self, worker: int, left_behind: LeftBehind, children: Sequence[ChildProcess]) -> None:
        """This one leaves; `left_behind` gets what was not reported, once nothing of it is with a child."""
        self._waiting[worker] = left_behind
        self._feeder.leave(worker)
        for child in children:
            self._end(child)
            child.recall()

    def look(self, children: Sequence[ChildProcess]) -> None:
        """End what has begun since, and say of whom nothing is left."""
        for child in children:
            self._end(child)
        fed = {claim.worker for child in children for claim, _ in child.fed.values()}
        for worker, left_behind in self._waiting.items():
            if left_behind is not None and worker not in fed:
                # What was said to the end counts.
                self._finished.flush()
                left_behind.put(self._finished.take_left(worker))
                self._waiting[worker] = None

    def forget(self, worker: int) -> None:
        """No more of its jobs come."""
        self._waiting.pop(worker, None)
        self._feeder.left.discard(worker)

    def _end(self, child: ChildProcess) -> None:
        if any(child.runs_of(worker) for worker in self._waiting):
            child.kill(KillCause.LEFT, "was ended, because its database is left", grace=0.0)
