"""What is said of a schedule to the database: its timing, and the job that each of its ticks enqueues."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from pgqueue.codec import encode_args
from pgqueue.cron import Timing
from pgqueue.errors import OptionError
from pgqueue.job import Args, JobOptions, NewJob, Target
from pgqueue.options import check_name
from pgqueue.retry import seconds
from pgqueue.routes import routed
from pgqueue.store.kept_args import kept_args
from pgqueue.store.keys import check_key, key_of
from pgqueue.tasks.registry import registered, target_of
from pgqueue.tasks.task import Task

# What a schedule can say about its jobs; each time of theirs comes with the tick.
_OPTIONS = (
    "queue",
    "priority",
    "ttl",
    "timeout",
    "max_attempts",
    "unique_key",
    "unique_until",
    "unique_for",
    "on_conflict",
    "max_wait",
    "limit_key",
    "cost",
    "store_result",
    "labels",
)


def said_of(name: str, target: Target, args: Args, timing: Timing, options: JobOptions) -> dict[str, Any]:
    """A schedule by the names of its columns; where `options` say nothing those of the task hold.

    Raises TargetError, ArgumentError, OptionError.
    """
    if not isinstance(name, str):
        raise OptionError(f"a schedule's name must be a text, got {name!r:.80}")
    check_name("a schedule's name", name)
    named = target_of(target)
    task = target if isinstance(target, Task) else registered(named)
    if task is not None:
        options = options.over(task.options)
    if options.queue is None and (queue := routed(named)) is not None:
        options = replace(options, queue=queue)
    if options.is_followed:
        raise OptionError(
            "a schedule keeps no follow-ups of its own; say on_success, on_failure or on_end in @task(...)"
        )
    if task is not None:
        task.calling.check(args)
    text = encode_args(args if task is None else task.sealed(args), options.max_args)
    job = NewJob(named, args, **options.said())
    kept = kept_args(job, text, None)
    options = replace(options, unique_key=_key(job, text), unique=None)
    values = {option: value for option in _OPTIONS if (value := getattr(options, option)) is not None}
    for option in ("ttl", "timeout", "unique_for", "max_wait"):
        if option in values:
            length = seconds(values[option])
            # JSON has no infinity; PostgreSQL reads it as a text.
            values[option] = "Infinity" if length == math.inf else length
    if "labels" in values:
        values["labels"] = dict(values["labels"])
    if task is not None and options.limit_key is None and (key := task.limit_key_of(args)) is not None:
        values["limit_key"] = key
    return {"name": name, "target": named, "args": json.loads(kept), **timing.said(), **values}


def _key(job: NewJob, args: str) -> str | None:
    """The unique key of each job of a schedule, which all have the same arguments."""
    check_key(job)
    if job.on_conflict == "raise":
        raise OptionError("on_conflict='raise' has nobody to raise to when a schedule ticks; say 'keep' or 'replace'")
    return key_of(job, args)


def declared_schedule(task: Task[..., Any]) -> dict[str, Any] | None:
    """What @task(cron=...) or @task(every=...) declares, by the names of columns; None if it does not.

    Named as its task.
    """
    if task.timing is None:
        return None
    return said_of(task.target, task, None, task.timing, JobOptions())
