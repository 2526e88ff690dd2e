"""How the executors that share a process with their tasks judge claims that a task did not end itself."""

from __future__ import annotations

from time import monotonic

from pgqueue import hooks
from pgqueue.company import judge_together
from pgqueue.events import Finished
from pgqueue.job import Claim, each_of
from pgqueue.judge import UNKNOWN, Fallback, Terms, if_lost, judge
from pgqueue.outcome import Cancelled, ErrorReport, Released, TimedOut
from pgqueue.tasks import declared_follows, declared_rules, registered, registered_tasks
from pgqueue.worker.attempts.task_spec import TaskTimes, times_of
from pgqueue.worker.executors.base import Leftover

# Of what was told to end and had not when its worker did.
_CANCELLED = Cancelled("cancelled while it ran, and its worker ended before it did")


def times_here(target: str) -> TaskTimes | None:
    """What a task of this process says of how long its attempts may take; None if there is none of this name."""
    task = registered(target)
    return None if task is None else times_of(task)


def registered_terms(target: str) -> Terms | None:
    """What a task of this process says about the ends of its attempts; None if there is none of this name."""
    task = registered(target)
    return None if task is None else task.terms


def registered_targets() -> frozenset[str]:
    """The tasks of this process."""
    return frozenset(task.target for task in registered_tasks())


def once_targets() -> frozenset[str]:
    """The tasks of this process that may run at most once."""
    return frozenset(task.target for task in registered_tasks() if task.bounds.at_most_once)


def registered_fallbacks() -> dict[str, Fallback]:
    """What follows tasks of this process whose attempts are lost, by target."""
    return if_lost((task.target, task.terms) for task in registered_tasks())


def registered_rules() -> frozenset[str]:
    """What the tasks of this process declare of schedules and limits."""
    return frozenset(said for task in registered_tasks() if (said := declared_rules(task)) is not None)


def registered_secrecies() -> frozenset[tuple[str, str]]:
    """What the tasks of this process call sensitive, by target."""
    return frozenset((task.target, task.secrecy.said()) for task in registered_tasks() if task.secrecy is not None)


def registered_follows() -> frozenset[tuple[str, str]]:
    """Which jobs follow those of the tasks of this process, by target."""
    tasks = registered_tasks()
    return frozenset((task.target, said) for task in tasks if (said := declared_follows(task)) is not None)


def registered_hooks() -> frozenset[tuple[str, str]]:
    """Which hooks there are in this process."""
    return hooks.named().union((name, task.target) for task in registered_tasks() for name in task.hooks)


def left_over(claim: Claim, terms: Terms | None, seconds: float, *, cancelled: bool) -> Leftover | Finished:
    """A claim whose attempt had begun, and is not waited for any more: given back, unless it is not to run again.

    `terms` are its task's, None if they are not known.
    """
    if cancelled:
        return Finished(claim, judge(claim, _CANCELLED), seconds, monotonic())
    if terms is None or not terms.at_most_once:
        return Leftover(claim, started=True)
    return Finished(claim, judge(claim, Released(), terms), seconds, monotonic())


def cancelled_unstarted(claim: Claim) -> Finished:
    """A claim that was cancelled before it began."""
    return Finished(claim, judge(claim, Cancelled("cancelled before it was started")), 0.0)


def timed_out(claim: Claim, said: str, seconds: float, where: str | None) -> list[Finished]:
    """A claim, or a batch, that ran longer than its limit, in a thread that cannot be ended."""
    message = f"it ran longer than its {said}, and did not end when it was told; its worker retires"
    outcome = TimedOut(ErrorReport("pgqueue.HardTimeout", message, where))
    judging = judge if type(claim) is Claim else judge_together
    terms = registered_terms(claim.target) or UNKNOWN
    return [Finished(each, judging(each, outcome, terms), seconds, monotonic()) for each in each_of(claim)]
