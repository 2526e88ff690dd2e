"""The claims of the children that are done with: reported with a settlement, or left over to be given back."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from pgqueue.events import Finished
from pgqueue.job import Claim
from pgqueue.judge import UNKNOWN, Terms, judge
from pgqueue.outcome import Cancelled, Outcome, Released
from pgqueue.worker.attempts.task_spec import TaskSpec
from pgqueue.worker.executors.base import Leftover
from pgqueue.worker.executors.judging import CANCELLED_AND_LEFT
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.kill_reasons import Crashes, outcome_of


class FinishedClaims:
    """What ended since the last flush(), what is left at the end, and the tasks that tell how to judge it."""

    def __init__(self, report: Callable[[list[Finished]], None]) -> None:
        self.specs: dict[str, TaskSpec] = {}
        self.left: list[Leftover] = []
        self.ended: list[Finished] = []
        # Set when nothing more is to be reported.
        self.closed = False
        self._report = report
        self._crashes = Crashes()

    def terms(self, target: str) -> Terms:
        """What a task says about the ends of its attempts; the defaults if it is not known."""
        spec = self.specs.get(target)
        return UNKNOWN if spec is None else spec.terms

    def cancel_unstarted(self, claim: Claim) -> None:
        """A claim was cancelled before it began."""
        self._settle(claim, Cancelled("cancelled before it was started"), 0.0)

    def end_with(self, child: ChildProcess, claim: Claim, number: int, how: str) -> None:
        """A claim's child ended while it ran."""
        outcome = outcome_of(claim, number, child.kill_reason, child.pid, how, child.hung, self._crashes)
        self._settle(claim, outcome, monotonic() - child.since)

    def leave_over(self, claim: Claim, *, started: bool, cancelled: bool = False) -> None:
        """A claim is not run to its end: given back, or lost if it had begun and may not begin again."""
        if started and cancelled:
            self._settle(claim, CANCELLED_AND_LEFT, 0.0)
        elif not started or not self.terms(claim.target).at_most_once:
            self.left.append(Leftover(claim, started))
        else:
            self._settle(claim, Released(), 0.0)

    def flush(self) -> None:
        """Report what ended."""
        ended, self.ended = self.ended, []
        if ended and not self.closed:
            self._report(ended)

    def _settle(self, claim: Claim, outcome: Outcome, elapsed: float) -> None:
        self.ended.append(Finished(claim, judge(claim, outcome, self.terms(claim.target)), elapsed))
