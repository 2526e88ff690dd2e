"""What is read back of a job and of its attempts: rows of the views and tables that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pgqueue.elsewhere import names_ours
from pgqueue.habits import OF_JOBS
from pgqueue.job import JobState


@names_ours("job", OF_JOBS)
@dataclass(frozen=True, slots=True)
class Job:
    """One job in whatever state: a row of the view `pgqueue.job`.

    Times have zones. What history does not keep is None: of a job that has ended, `worker`, and `cost` unless it is
    dead; of one that has not, `finished_at` and `reason`. `parent_id` is the job that brought it, `root_id` the first
    of that line; None if no job did.
    `degraded`: not by the code that it was enqueued for, but by a fallback, or a human.
    """

    id: UUID
    queue: str
    target: str
    args: Any
    state: JobState
    priority: int | None
    attempt: int
    max_attempts: int | None
    created_at: datetime | None
    run_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    worker: int | None
    unique_key: str | None
    limit_key: str | None
    labels: Mapping[str, str] | None
    last_error: str | None
    reason: str | None
    cost: int | None
    parent_id: UUID | None
    root_id: UUID | None
    degraded: bool


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One job of a tree(): `parent_id` brought it, as its `nth`, as `how` says: enqueue, effect, on_success ...

    `generation` counts from the job that was asked for. `target`, `queue` and `state` are None of what history does not
    keep any more. `more`: it has children that are not in the tree.
    """

    id: UUID
    parent_id: UUID | None
    generation: int
    nth: int | None
    how: str | None
    target: str | None
    queue: str | None
    state: JobState | None
    more: bool


@dataclass(frozen=True, slots=True)
class EndedJob:
    """The job that has ended, as a follow-up is told of it by its argument `ended`.

    `state` is SUCCEEDED, DEAD or CANCELLED, `reason` why it is dead or cancelled, `error` what its last attempt raised;
    `result` is there if results of it are stored.
    """

    id: UUID
    target: str
    state: JobState
    reason: str | None = None
    error_type: str | None = None
    error: str | None = None
    result: Any = None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """As it stands in the arguments of a follow-up."""
        return cls(
            UUID(str(said["id"])),
            said["target"],
            JobState(said["state"]),
            said.get("reason"),
            said.get("error_type"),
            said.get("error"),
            said.get("result"),
        )


@dataclass(frozen=True, slots=True)
class ManualJob:
    """A job that waits for a human, since when, and what it would be dead of otherwise; None: it has no end yet."""

    job: Job
    since: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One ended attempt of a job: a row of `pgqueue.attempts`. `degraded`: a fallback, or a human, has succeeded."""

    job_id: UUID
    attempt: int
    claim: int
    queue: str
    target: str
    worker: int | None
    started_at: datetime | None
    finished_at: datetime
    outcome: str
    error_type: str | None
    error: str | None
    traceback: str | None
    degraded: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What a durable function remembers: its `nth` step, of a `kind`, a row of `pgqueue.steps`.

    `kind` is "step", "sleep", "wait", "child" (jobs that it brought), "undo" (what is to be undone), or "undone".
    `until` is when a sleep or a wait ends by itself, `undo` the target that undoes it, `result` what it came to.
    """

    nth: int
    kind: str
    name: str
    at: datetime
    until: datetime | None
    claim: int
    undo: str | None
    result: Any


@dataclass(frozen=True, slots=True)
class Effect:
    """What the ledger says of a key: a row of the view `pgqueue.effect`.

    `state` is "done", "reserved" while an attempt is at it, or "unknown": an attempt vanished over it, or may have done
    it. Of what an application did `job_id`, `attempt` and `target` are None.
    """

    scope: str
    key: str
    state: str
    reserved_at: datetime
    done_at: datetime | None
    expires_at: datetime
    target: str | None
    job_id: UUID | None
    attempt: int | None
    value: Any


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job said it was `at` last, in which attempt: `done` of `total`, if that is known.

    `share` is from 0 to 1, `rate` per second since the attempt said so first, `rest` the time left at that rate; None
    where there is nothing to tell them by.
    """

    job_id: UUID
    attempt: int
    done: float
    total: float | None
    share: float | None
    rate: float | None
    rest: timedelta | None
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """How a job is at a moment: its state, its attempts so far, and how far it is, if it has ever said so."""

    state: JobState
    attempt: int
    progress: JobProgress | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason that a job or a queue may have, and whether it holds; None: that could not be told.

    `code` is its name, which stays; `detail` the facts, by name; `cure` what to do about it: a command, or SQL.
    """

    ord: int
    code: str
    holds: bool | None
    text: str
    detail: Mapping[str, Any]
    cure: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a job is where it is, or why a queue does not drain: every reason, in order.

    The first of `findings` says what it is: its facts are in `detail`, the state of a job among them.
    """

    findings: tuple[Finding, ...]

    @property
    def headline(self) -> Finding:
        """The answer: the first reason that holds."""
        return next((each for each in self.findings if each.holds), self.findings[0])


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a job said (`job.log`): of which attempt, and as which of it."""

    claim: int
    attempt: int
    seq: int
    at: datetime
    level: str
    line: str


class WorkflowState(StrEnum):
    """How a workflow stands as a whole: failed if something that it needs is dead, and nothing can run."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class WorkflowRecord:
    """One workflow: a row of the view `pgqueue.workflow`. `total` are its jobs, in as many `nodes`.

    Jobs are counted up to a bound in each place: `pending` in queues, `waiting` at gates. Where one holds more, `exact`
    is False and `succeeded` None. `asked` is "cancel" or "retry", if somebody did.
    """

    id: UUID
    name: str
    state: WorkflowState
    created_at: datetime
    deadline: datetime | None
    unique_key: str | None
    asked: str | None
    asked_at: datetime | None
    labels: Mapping[str, str] | None
    nodes: int
    total: int
    succeeded: int | None
    running: int
    pending: int
    waiting: int
    dead: int
    cancelled: int
    exact: bool

    @property
    def left(self) -> int:
        """How many jobs have not ended, as far as they were counted."""
        return self.running + self.pending + self.waiting


@dataclass(frozen=True, slots=True)
class MemberOf:
    """The workflow that a job is a member of, its name, and that of the job's node."""

    id: UUID
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class WorkflowNode:
    """One node of a workflow: a job, or a group of `total`; a row of the view `pgqueue.workflow_nodes`.

    `state` is that of the jobs that say most, "open" while more may be added, None if it could not be told. `needs` are
    the numbers of the nodes before it, `repairs` of those for whose failure it is there. `attempt` and the times are
    those of its job; `error` is that of its first dead one, `dead_id`.
    """

    node: int
    name: str
    target: str | None
    needs: Sequence[int]
    repairs: Sequence[int] | None
    optional: bool
    callback: bool
    job_id: UUID | None
    state: str | None
    total: int
    succeeded: int | None
    running: int
    ready: int
    retrying: int
    scheduled: int
    manual: int
    waiting: int
    dead: int
    cancelled: int
    exact: bool
    attempt: int | None
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    dead_id: UUID | None

    @property
    def ended(self) -> int:
        """How many of its jobs have ended, as far as they were counted."""
        live = self.running + self.ready + self.retrying + self.scheduled + self.manual + self.waiting
        return max(0, self.total - live) if self.exact else 0
