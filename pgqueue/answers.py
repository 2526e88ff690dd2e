"""What is answered, by whichever door: the same names in `--json` of a command and in the API of the dashboard.

A row of a list is what the store reads; an answer about one thing is that row with what else is known of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pgqueue.record import Attempt, Explanation, Finding, Job, JobProgress, MemberOf, WorkflowNode, WorkflowRecord
from pgqueue.store.causes import Cause
from pgqueue.store.limits import LimitRow, LimitUse
from pgqueue.store.queues import QueueStats
from pgqueue.store.rates import Rates
from pgqueue.store.schedules import ScheduleRow, TickRow
from pgqueue.store.worker_reports import WorkerReport
from pgqueue.store.workers import WorkerRow
from pgqueue.store.workflow_secrecy import GivenAndReturned

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class QueueAnswer(QueueStats):
    """A queue, and how it got on lately; `drain` is how long until no job waits, None: never, or not known."""

    in_per_min: float | None
    out_per_min: float | None
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None
    before: int | None
    drain: timedelta | None
    growing: bool


@dataclass(frozen=True, slots=True)
class JobAnswer(Job):
    """A job with its ended attempts, oldest first; `unknown_since` is since when no live worker knows its target.

    `progress` is how far it said it was last; null if it never did. `workflow` is that of which it is a member, if any.
    """

    unknown_since: datetime | None
    attempts: list[Attempt]
    progress: JobProgress | None
    workflow: MemberOf | None


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """Why a job or a queue does not go on: the code of the first finding that holds, and all findings."""

    headline: str
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class CauseAnswer(Cause):
    """A cause, and the ids of the newest jobs that died of it."""

    newest_dead: list[str]


@dataclass(frozen=True, slots=True)
class WorkerAnswer(WorkerRow):
    """A worker, and what it said of itself with its last heartbeat; None if nothing."""

    report: WorkerReport | None = None


@dataclass(frozen=True, slots=True)
class ScheduleAnswer(ScheduleRow):
    """A schedule, and what became of its last ticks, the latest first."""

    ticks: list[TickRow]


@dataclass(frozen=True, slots=True)
class LimitAnswer:
    """The limit `name` that rules what was asked for, `of`; and its `use`, None where that says nothing."""

    of: str
    scope: str
    name: str
    concurrency: int | None
    rate: str | None
    burst: int | None
    weight: int
    ordered: bool
    on_dead: str
    source: str | None
    changed_at: datetime
    use: LimitUse | None


@dataclass(frozen=True, slots=True)
class NodeAnswer(WorkflowNode):
    """A node of a workflow; `args` and `result` are those of its job, where they were asked for and there are any."""

    args: Any
    result: Any


@dataclass(frozen=True, slots=True)
class WorkflowAnswer(WorkflowRecord):
    """A workflow, and some of its nodes in order."""

    graph: list[NodeAnswer]


def queue_answer(row: QueueStats, rates: Rates | None) -> QueueAnswer:
    """A queue with its rates, where they are known."""
    known = rates or Rates(row.queue)
    said = {name: value for name, value in _values(known).items() if name != "queue"}
    return _grown(QueueAnswer, row, **said, drain=known.drain(row.ready), growing=known.grows(row.ready))


def job_answer(
    job: Job,
    unknown_since: datetime | None,
    attempts: Sequence[Attempt],
    progress: JobProgress | None,
    workflow: MemberOf | None,
) -> JobAnswer:
    """A job with its attempts, how far it is, and whose member."""
    more = {"unknown_since": unknown_since, "attempts": list(attempts), "progress": progress, "workflow": workflow}
    return _grown(JobAnswer, job, **more)


def why_answer(found: Explanation) -> WhyAnswer:
    """What was found."""
    return WhyAnswer(found.headline.code, list(found.findings))


def cause_answer(row: Cause, newest: Sequence[Job]) -> CauseAnswer:
    """A cause with its newest dead jobs."""
    return _grown(CauseAnswer, row, newest_dead=[str(job.id) for job in newest])


def worker_answer(row: WorkerRow, report: WorkerReport | None) -> WorkerAnswer:
    """A worker with its report."""
    return _grown(WorkerAnswer, row, report=report)


def schedule_answer(row: ScheduleRow, ticks: Sequence[TickRow]) -> ScheduleAnswer:
    """A schedule with its ticks."""
    return _grown(ScheduleAnswer, row, ticks=list(ticks))


def limit_answer(of: str, row: LimitRow, use: LimitUse | None) -> LimitAnswer:
    """A limit and its use."""
    said = {name: value for name, value in _values(row).items() if name != "in_use"}
    return LimitAnswer(of=of, **said, use=use)


def node_answer(node: WorkflowNode, io: GivenAndReturned | None = None) -> NodeAnswer:
    """A node, with what its job was given and returned."""
    return _grown(NodeAnswer, node, args=None if io is None else io.args, result=None if io is None else io.result)


def workflow_answer(row: WorkflowRecord, nodes: Sequence[NodeAnswer]) -> WorkflowAnswer:
    """A workflow with nodes."""
    return _grown(WorkflowAnswer, row, graph=list(nodes))


def _grown(kind: type[T], row: Any, **more: Any) -> T:
    """The row as an answer that has its fields and more."""
    return kind(**_values(row), **more)


def _values(row: Any) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(row)}
