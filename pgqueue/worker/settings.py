"""How a worker works, as values; the checks say what is wrong with one, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pgqueue.errors import OptionError
from pgqueue.worker.executors import EXECUTORS
from pgqueue.worker.executors.base import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The meaning of each is told by Worker. Raises OptionError for a value out of its range."""

    dsn: str
    queues: Sequence[str] | None
    executor: Literal["process", "thread", "async"]
    tasks: Settings
    burst: bool
    poll: float
    lease: float
    shutdown_timeout: float
    listen_dsn: str | None
    poll_only: bool
    infra_limit: int
    infra_minutes: float

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise OptionError(f"executor must be one of {', '.join(EXECUTORS)}, got {self.executor!r}")
        _check_children(self.executor, self.tasks)
        if self.poll <= 0:
            raise OptionError(f"poll must be more than 0 seconds, got {self.poll}")
        if self.lease < 1:
            raise OptionError(f"lease must be 1 second or more, got {self.lease}")
        if self.shutdown_timeout < 0:
            raise OptionError(f"shutdown_timeout must be 0 seconds or more, got {self.shutdown_timeout}")
        if self.infra_limit < 1:
            raise OptionError(f"infra_limit must be 1 or more, got {self.infra_limit}")
        if self.infra_minutes <= 0:
            raise OptionError(f"infra_minutes must be more than 0, got {self.infra_minutes}")
        if self.poll_only and self.listen_dsn is not None:
            raise OptionError("poll_only listens to nothing, so listen_dsn has no use; give one of them")
        if self.queues is not None and not self.queues:
            raise OptionError("queues must name at least one queue, got []; None serves all of them")


def names(option: str, given: Sequence[str]) -> tuple[str, ...]:
    """A list of names; raises OptionError for a text, whose letters would be taken for names."""
    if isinstance(given, str):
        raise OptionError(f"{option} must be a list of names, got {given!r}; write [{given!r}]")
    return tuple(given)


def _check_children(executor: str, tasks: Settings) -> None:
    if tasks.concurrency < 1:
        raise OptionError(f"concurrency must be 1 or more, got {tasks.concurrency}")
    for option, value in (
        ("max_jobs_per_child", tasks.max_jobs_per_child),
        ("max_memory_per_child", tasks.max_memory_per_child),
    ):
        if value is not None and value < 1:
            raise OptionError(f"{option} must be 1 or more, got {value}; None sets no limit")
        if value is not None and executor != "process":
            raise OptionError(f"{option} is for children, and the executor {executor} has none; use process")
