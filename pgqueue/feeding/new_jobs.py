"""What becomes of an item: the job that it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pgqueue.codec import args_of
from pgqueue.errors import ArgumentError, OptionError
from pgqueue.feeding.basket import BESIDE, Item
from pgqueue.job import Args, JobOptions, NewJob, Target
from pgqueue.tasks import CallOptions, Task, check_call_options, registered, target_of


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which task the jobs of a feed call, and with which options; `task` is None where it is not known here."""

    target: str
    job: NewJob
    task: Task[..., Any] | None

    def item(self, cursor: Any, value: Any) -> Item:
        """The job that an item means: a NewJob as it is, a list, tuple or mapping as arguments, else the one argument.

        Raises ArgumentError if it does not fit the task, or is not JSON.
        """
        if isinstance(value, NewJob):
            new = value.over(_without_target(self.job))
        else:
            args = value if value is None or isinstance(value, list | tuple | Mapping) else [value]
            if self.task is not None and (misfit := self._misfit(args)):
                raise ArgumentError(f"{self.target}: {misfit}")
            new = replace(self.job, args=args)
        return Item(cursor, new, len(args_of(new)) + BESIDE)

    def _misfit(self, args: Args) -> str | None:
        assert self.task is not None
        if isinstance(args, Mapping):
            return self.task.misfit((), args)
        return self.task.misfit(args or (), {})


def pattern_of(to: Target, options: CallOptions) -> Pattern:
    """How the jobs of a feed look. Raises TargetError, OptionError."""
    check_call_options("feed", options)
    for option in ("job_id", "unique_key"):
        if options.get(option) is not None:
            raise OptionError(f"{option} would be the same for every job; yield NewJobs that have one each")
    target = target_of(to)
    return Pattern(target, NewJob(to, **options), to if isinstance(to, Task) else registered(target))


def _without_target(job: NewJob) -> JobOptions:
    return JobOptions(**job.said())
