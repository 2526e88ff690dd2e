"""The claims of the children that are done with: reported with a settlement, or left over to be given back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from pgqueue.company import Batching, judge_together
from pgqueue.events import Finished
from pgqueue.job import Claim, each_of
from pgqueue.judge import UNKNOWN, Terms, judge
from pgqueue.outcome import Cancelled, Outcome, Settlement
from pgqueue.worker.attempts.task_spec import TaskSpec
from pgqueue.worker.executors.base import Leftover
from pgqueue.worker.executors.batches import left_unstarted
from pgqueue.worker.executors.judging import left_over
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.kill_reasons import Crashes, outcome_of


class FinishedClaims:
    """What ended since the last flush(), what is left at the end, and the tasks that tell how to judge it."""

    def __init__(self, report: Callable[[list[Finished], int], None]) -> None:
        self.specs: dict[str, TaskSpec] = {}
        self.left: list[Leftover] = []
        # How many were ever left, where a batch is one.
        self.left_count = 0
        self.ended: list[Finished] = []
        # How many those are, where a batch is one.
        self.count = 0
        # How tasks run jobs together: replaced, and never changed, as others read it.
        self.batching: Mapping[str, Batching] = {}
        # Set when nothing more is to be reported.
        self.closed = False
        # The plain functions that jobs may call.
        self.plain: frozenset[str] = frozenset()
        # Whether something in the children looks on, and wants the headers of jobs.
        self.watched = False
        # Which hooks they have for all tasks, and for the worker; and who wants to know of attempts that begin.
        self.hooked: frozenset[tuple[str, str]] = frozenset()
        self.begun: Callable[[Claim], None] | None = None
        self._report = report
        self._crashes = Crashes()

    def terms(self, target: str) -> Terms:
        """What a task says about the ends of its attempts; the defaults if it is not known."""
        spec = self.specs.get(target)
        return UNKNOWN if spec is None else spec.terms

    def learn(self, spec: TaskSpec) -> None:
        """A child tells of a task."""
        self.specs[spec.target] = spec
        if spec.batching is not None:
            self.batching = {**self.batching, spec.target: spec.batching}
        elif spec.target in self.batching:
            self.batching = {target: how for target, how in self.batching.items() if target != spec.target}

    def cancel_unstarted(self, claim: Claim) -> None:
        """A claim, or the last of a batch, was cancelled before it began."""
        self.cancel_some_unstarted(each_of(claim))
        self.count += 1

    def cancel_some_unstarted(self, claims: Sequence[Claim]) -> None:
        """These of a batch were cancelled before it began; others of it were not."""
        for claim in claims:
            self._settle(claim, Cancelled("cancelled before it was started"))

    def end_with(self, child: ChildProcess, claim: Claim, number: int, how: str) -> None:
        """A claim's child ended while it ran; if that is a batch's, nobody knows by whose fault."""
        judging = judge if type(claim) is Claim else judge_together
        for each in each_of(claim):
            outcome = outcome_of(each, number, child.kill_reason, child.pid, how, child.hung, self._crashes)
            self._settle(each, outcome, monotonic() - child.since, judging)
        self.count += 1

    def leave_unstarted(self, claim: Claim) -> None:
        """A claim never began: it is given back."""
        self.left_count += 1
        self.left += left_unstarted(claim)

    def leave_fed(self, child: ChildProcess) -> None:
        """Nothing that a child was fed is waited for any more."""
        for number, (claim, _) in child.fed.items():
            if number == child.running:
                self.leave_running(child, claim)
            else:
                self.leave_unstarted(claim)

    def leave_running(self, child: ChildProcess, claim: Claim) -> None:
        """A claim is not waited for any more: given back, unless it is not to run again."""
        self.left_count += 1
        seconds = monotonic() - child.since
        for each in each_of(claim):
            match left_over(each, self.terms(each.target), seconds, cancelled=child.is_cancelled):
                case Leftover() as leftover:
                    self.left.append(leftover)
                case ended:
                    self.ended.append(ended)

    def take_left(self, worker: int) -> list[Leftover]:
        """Take what is left over of this worker id."""
        left = [each for each in self.left if each.claim.worker == worker]
        self.left = [each for each in self.left if each.claim.worker != worker]
        return left

    def flush(self) -> None:
        """Report what ended."""
        ended, self.ended = self.ended, []
        count, self.count = self.count, 0
        if ended and not self.closed:
            self._report(ended, count)

    def _settle(
        self, claim: Claim, outcome: Outcome, elapsed: float | None = None, judging: Callable[..., Settlement] = judge
    ) -> None:
        settlement = judging(claim, outcome, self.terms(claim.target))
        self.ended.append(Finished(claim, settlement, elapsed or 0.0, 0.0 if elapsed is None else monotonic()))
