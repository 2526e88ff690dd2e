"""A new job on its way: its target as a text, with what its task and its route say where it says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgqueue.errors import UsageError
from pgqueue.job import NewJob, Target
from pgqueue.routes import routed
from pgqueue.tasks.calling import calling_of
from pgqueue.tasks.following import with_follow_ups
from pgqueue.tasks.registry import found
from pgqueue.tasks.task import Task

# What has been looked up already, of the targets of a batch.
Names = dict[Target, tuple[str, Task[..., Any] | None]]


def named(new: NewJob, names: Names) -> NewJob:
    """The job with its target as a text, and the options of its task, or its route, where it says nothing.

    `names` remembers, because most jobs of a batch have the same target. Raises TargetError, SignatureError,
    ArgumentError, OptionError, CodecError.
    """
    if not isinstance(new, NewJob):
        raise UsageError(f"a job to enqueue is a NewJob, got {new!r:.80}; write NewJob(target, args) or task.job(...)")
    target = new.target
    known = names.get(target) if isinstance(target, str | Task) else None
    if known is None:
        known = names[target] = found(target)
    name, task = known
    if name is not target:
        new = replace(new, target=name)
    if task is not None:
        new = new.over(task.options)
    if new.queue is None and (queue := routed(name)) is not None:
        new = replace(new, queue=queue)
    if task is not None:
        new = task.fitted(new)
    elif callable(target):
        calling_of(target, name).check(new.args)
    return with_follow_ups(new, found) if new.is_followed else new
