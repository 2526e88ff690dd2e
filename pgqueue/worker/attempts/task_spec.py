"""What a worker knows of a task without its code: how long its attempts may take, and how their ends are judged."""

from __future__ import annotations

import dataclasses
from math import inf
from typing import Any, NamedTuple

from pgqueue.company import Batching
from pgqueue.job import Claim, each_of
from pgqueue.judge import Terms
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy, seconds
from pgqueue.tasks import Task, declared_follows, declared_rules


class TaskSpec(NamedTuple):
    """`timeout` and `soft_timeout` are seconds, None if the task does not say.

    `rules` is what it declares, `secrecy` what it calls sensitive, and `follows` which jobs follow its own, as JSON;
    `hooks` the names of those it has.
    """

    target: str
    terms: Terms
    timeout: float | None
    soft_timeout: float | None
    rules: str | None = None
    secrecy: str | None = None
    hooks: tuple[str, ...] = ()
    follows: str | None = None
    batching: Batching | None = None


class TaskTimes(NamedTuple):
    """How long attempts of a task may take, seconds; None if it does not say."""

    timeout: float | None
    soft_timeout: float | None


class TimeLimits(NamedTuple):
    """When a job is told that its time is up, and when that is over: seconds since its start, inf for never."""

    notice: float
    timeout: float
    said: str


def times_of(task: Task[..., Any]) -> TaskTimes:
    """The times of a task."""
    soft = task.bounds.soft_timeout
    return TaskTimes(task.timeout, None if soft is None else seconds(soft))


def spec_of(task: Task[..., Any]) -> TaskSpec:
    """The spec of a task."""
    return TaskSpec(
        task.target,
        task.terms,
        *times_of(task),
        declared_rules(task),
        None if task.secrecy is None else task.secrecy.said(),
        tuple(task.hooks),
        declared_follows(task),
        task.batching,
    )


def portable(spec: TaskSpec) -> TaskSpec:
    """The same for another process: of a retry policy only what needs no code of the user's."""
    retry = spec.terms.retry
    if type(retry).__module__ == RetryPolicy.__module__:
        retry = dataclasses.replace(retry, on=BaseException, not_on=())
    else:
        retry = DEFAULT_RETRY
    return spec._replace(terms=dataclasses.replace(spec.terms, retry=retry))


def time_limits(claim: Claim, task: TaskSpec | TaskTimes | None) -> TimeLimits:
    """The limits of an attempt, as the job says, or its task, its queue, or everybody; of a batch its shortest."""
    timeout = min(each.longest(None if task is None else task.timeout) for each in each_of(claim))
    soft = inf if task is None or task.soft_timeout is None else task.soft_timeout
    said = f"soft_timeout of {soft:g} s" if soft < timeout else f"timeout of {timeout:g} s"
    return TimeLimits(min(soft, timeout), timeout, said)
