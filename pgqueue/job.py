"""What a job is: its states, its options, and the shapes in which code meets it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Literal, NamedTuple, NoReturn, Self
from uuid import UUID

from pgqueue.arguments.sizes import MOST_EVER
from pgqueue.elsewhere import names_ours
from pgqueue.errors import OptionError, UsageError
from pgqueue.habits import OF_NEW_JOBS
from pgqueue.options import (
    Duration,
    check_choice,
    check_duration,
    check_flag,
    check_integer,
    check_labels,
    check_name,
    check_run_at,
)
from pgqueue.rate import MOST_STARTS
from pgqueue.vocabulary import advised

Args = Sequence[Any] | Mapping[str, Any] | None
# A Task is a callable, too.
Target = str | Callable[..., Any]
# When an enqueue sends a NOTIFY: always, if somebody idle listens, never.
Notify = Literal["always", "idle", "off"]
# What a unique key is made of; until when a job holds it; what becomes of a call that meets it taken.
Unique = Literal["args"]
UniqueUntil = Literal["end", "start"]
OnConflict = Literal["keep", "replace", "raise"]

DEFAULT_QUEUE = "default"
DEFAULT_PRIORITY = 5
DEFAULT_MAX_ATTEMPTS = 26
# A job that ended its process three times in a row is dead, whatever its attempts.
MAX_CRASHES = 3
# Of one job; its task may name as many besides.
MOST_FOLLOW_UPS = 100
_SELDOM_SAID = (None,) * 9
# One hour: finite, so that nothing hangs for ever.
DEFAULT_TIMEOUT = 3600.0


class JobState(StrEnum):
    """Where a job is in its life; the last three are ends.

    MANUAL waits for a human: see Fallbacks in the guides. WAITING waits for other jobs of its workflow.
    """

    SCHEDULED = "scheduled"
    READY = "ready"
    RUNNING = "running"
    RETRYING = "retrying"
    MANUAL = "manual"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the job by itself."""
        return self in (JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED)


@advised
@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How a job waits and runs. None means not said: the task's own option holds, else the default.

    `delay`, `ttl` and `timeout` are seconds or timedeltas; `timeout=math.inf` means none. `run_at` needs a time zone.
    `notify` and `max_args` are about the call alone: whether idle workers are told, and how many bytes `args` may have.
    """

    queue: str | None = None
    priority: int | None = None
    delay: Duration | None = None
    run_at: datetime | None = None
    ttl: Duration | None = None
    timeout: Duration | None = None
    max_attempts: int | None = None
    unique_key: str | None = None
    unique: Unique | None = None
    unique_until: UniqueUntil | None = None
    unique_for: Duration | None = None
    on_conflict: OnConflict | None = None
    max_wait: Duration | None = None
    limit_key: str | None = None
    cost: int | None = None
    store_result: bool | None = None
    labels: Mapping[str, str] | None = None
    notify: Notify | None = None
    max_args: int | None = None
    job_id: UUID | None = None
    on_success: FollowUps | None = None
    on_failure: FollowUps | None = None
    on_end: FollowUps | None = None
    dead_to: Target | None = None

    def __post_init__(self) -> None:
        check_name("queue", self.queue)
        check_name("unique_key", self.unique_key)
        check_name("limit_key", self.limit_key)
        if self.limit_key is not None and "\x01" in self.limit_key:
            raise OptionError(f"limit_key must not contain the character 1, got {self.limit_key!r:.80}")
        check_integer("priority", self.priority, 0, 9)
        check_integer("max_attempts", self.max_attempts, 1, 32_767)
        check_integer("cost", self.cost, 1, MOST_STARTS)
        check_duration("delay", self.delay, zero=True, infinite=False)
        check_duration("ttl", self.ttl, zero=False, infinite=False)
        check_duration("timeout", self.timeout, zero=False, infinite=True)
        check_run_at(self.run_at, self.delay)
        check_labels(self.labels)
        check_flag("store_result", self.store_result)
        check_choice("notify", self.notify, ("always", "idle", "off"))
        # Seldom said, and asked of every job.
        if self.max_args is not None:
            check_integer("max_args", self.max_args, 1, MOST_EVER)
        keys = (self.unique, self.unique_until, self.unique_for, self.on_conflict, self.max_wait)
        if (*keys, self.on_success, self.on_failure, self.on_end, self.dead_to) != _SELDOM_SAID:
            self._check_about_keys()
            for option in ("on_success", "on_failure", "on_end"):
                check_follow_ups(option, getattr(self, option))
            check_dead_to(self.dead_to)
        if self.job_id is not None and not isinstance(self.job_id, UUID):
            raise OptionError(f"job_id must be a uuid.UUID, got {self.job_id!r}; wrap it: UUID(...)")

    def _check_about_keys(self) -> None:
        check_choice("unique", self.unique, ("args",))
        check_choice("unique_until", self.unique_until, ("end", "start"))
        check_choice("on_conflict", self.on_conflict, ("keep", "replace", "raise"))
        check_duration("unique_for", self.unique_for, zero=False, infinite=False)
        check_duration("max_wait", self.max_wait, zero=True, infinite=False)
        if self.unique is not None and self.unique_key is not None:
            raise OptionError("give unique_key or unique, not both: unique makes the key from the arguments")

    @property
    def is_followed(self) -> bool:
        """Whether it says which jobs follow its end."""
        said = (self.on_success, self.on_failure, self.on_end, self.dead_to)
        return said != (None, None, None, None)

    def said(self) -> dict[str, Any]:
        """The options that were given, by name."""
        return {name: value for name in option_names() if (value := getattr(self, name)) is not None}

    def over(self, defaults: JobOptions) -> Self:
        """These options, with `defaults` where nothing was said."""
        missing = {name: value for name, value in defaults.said().items() if getattr(self, name) is None}
        if self.run_at is not None or self.delay is not None:
            missing.pop("delay", None)
            missing.pop("run_at", None)
        if self.unique_key is not None or self.unique is not None:
            missing.pop("unique_key", None)
            missing.pop("unique", None)
        if not missing:
            return self
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return type(self)(**{**values, **missing})


def check_follow_ups(option: str, said: Any) -> None:
    """Jobs to be enqueued at an end: Tasks, texts that name one, NewJobs, or a list of them."""
    if said is None:
        return
    several = tuple(said) if isinstance(said, tuple | list) else (said,)
    for each in several:
        if not isinstance(each, str | NewJob) and not hasattr(each, "target"):
            raise OptionError(
                f"{option} must be a Task, 'module:function', a NewJob, or a list of them, got {each!r:.80}; a plain"
                " function is a hook, which only @task(on_success=...) takes: make it a @task to enqueue it"
            )
    if len(several) > MOST_FOLLOW_UPS:
        raise OptionError(
            f"{option} may be {MOST_FOLLOW_UPS} jobs, got {len(several)}; let one of them enqueue the rest"
        )


def check_dead_to(said: Any) -> None:
    """The one job that a dead one is handed to. Raises OptionError."""
    if isinstance(said, tuple | list):
        raise OptionError(f"dead_to is one task, got {said!r:.80}; on_failure takes a list")
    check_follow_ups("dead_to", said)


@cache
def option_names() -> tuple[str, ...]:
    """The names of all options, in the order of their declaration."""
    return tuple(field.name for field in fields(JobOptions))


@names_ours("job", OF_NEW_JOBS)
@advised
@dataclass(frozen=True, slots=True)
class NewJob(JobOptions):
    """A job to enqueue: a target (`"module:function"`, a function or a Task), its arguments, and options by keyword.

    `args`: a list is positional, a mapping is by keyword, None is none at all. What the target is not allowed to be is
    said when the job is enqueued, as by enqueue().
    """

    target: Target
    args: Args = None

    def __or__(self, other: object) -> NoReturn:
        raise UsageError("jobs are put one behind the other by pgqueue.chain(job, job), not by |")

    @property
    def name(self) -> str:
        """The target of a job that is on its way into the database: there it is a text."""
        assert isinstance(self.target, str), "a target is named before its job is enqueued"
        return self.target


# What follows the end of a job: other jobs.
FollowUp = str | Callable[..., Any] | NewJob
FollowUps = FollowUp | Sequence[FollowUp]

# The number of a job, and that of its claim.
Token = tuple[int, int]


class QueueTerms(NamedTuple):
    """What a queue says of its jobs' attempts, where neither they nor their task do; `timeout` is seconds."""

    timeout: float | None
    max_attempts: int | None


class Claim(NamedTuple):
    """A job that this worker holds. `args` and `labels` are JSON texts: a bad one must hurt this job alone.

    (`worker`, `claim`) is the token that every later statement about the attempt must show. `timeout` is seconds;
    `terms` are those of the queue, None if it says nothing; `headers` are asked for only where something looks on,
    `tenant` only where tenants are on.
    """

    id: UUID
    claim: int
    attempt: int
    crashes: int
    max_attempts: int | None
    timeout: float | None
    store_result: bool | None
    priority: int
    queue: str
    target: str
    args: str
    labels: str | None
    run_at: datetime
    worker: int
    terms: QueueTerms | None = None
    headers: str | None = None
    tenant: str | None = None

    def most_attempts(self, of_task: int | None) -> int:
        """After so many the job is dead: as it says, else its task, else its queue."""
        return self.max_attempts or of_task or (self.terms and self.terms.max_attempts) or DEFAULT_MAX_ATTEMPTS

    def longest(self, of_task: float | None) -> float:
        """The seconds that an attempt may take: as the job says, else its task, else its queue."""
        return self.timeout or of_task or (self.terms and self.terms.timeout) or DEFAULT_TIMEOUT

    @property
    def token(self) -> Token:
        """What tells it from all others here. By the number in the id: a UUID is hashed by code in Python."""
        return self.id.int, self.claim


class BatchClaim(Claim):
    """Claims of one task that one call runs: through an executor they go as the first of them would."""

    claims: tuple[Claim, ...]

    @classmethod
    def of(cls, claims: Sequence[Claim]) -> Claim:
        """These together; a single one is itself."""
        if len(claims) == 1:
            return claims[0]
        batch = tuple.__new__(cls, claims[0])
        batch.claims = tuple(claims)
        return batch


def each_of(claim: Claim) -> tuple[Claim, ...]:
    """The claims that go through an executor as this one."""
    return claim.claims if isinstance(claim, BatchClaim) else (claim,)


def trace_of(headers: str) -> str | None:
    """The trace that a job is a part of, by its headers; None if they name none."""
    found = _TRACE.search(headers)
    return None if found is None else found[1]


_TRACE = re.compile(r'"traceparent": ?"[0-9a-f]{2}-([0-9a-f]{32})-')
