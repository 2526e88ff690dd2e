"""`@workflow`: what makes a function a durable one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack, overload

from pgqueue.durable.workflow_task import WorkflowTask, rollback_of
from pgqueue.errors import OptionError, TargetError
from pgqueue.job import JobOptions
from pgqueue.outcome import HUMAN
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy
from pgqueue.tasks.decorator import decorating
from pgqueue.tasks.options import AllTaskOptions
from pgqueue.tasks.registry import register
from pgqueue.tasks.task import Task

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")

# What a workflow has other words for.
_NOT_TAKEN = {
    "transactional": "each step may be a transaction: annotate the step's first parameter as a connection",
    "iterable": "its steps are where it can be stopped",
    "max_run": "its steps are where it can be stopped",
    "batch": "each job remembers steps of its own",
    "batch_wait": "each job remembers steps of its own",
    "at_most_once": "it is begun again whenever it wakes; its steps run once",
}


@overload
def workflow(function: Callable[Concatenate[C, P], R], /) -> WorkflowTask[C, P, R]: ...
@overload
def workflow(
    *, retry: RetryPolicy = ..., **options: Unpack[AllTaskOptions]
) -> Callable[[Callable[Concatenate[C, P], R]], WorkflowTask[C, P, R]]: ...
def workflow(
    function: Callable[..., Any] | None = None, /, *, retry: RetryPolicy = DEFAULT_RETRY, **options: Any
) -> Any:
    """Make a module-level function, sync or async, a durable one: its steps are remembered; it may sleep for months.

    It is given a context first, a Durable or, if it is an `async def`, an AsyncDurable: `ctx.step("pay", pay, 42)`.
    Whenever it is begun again, after a crash, a failure or a sleep, steps that it has taken are not taken again. Takes
    the options of @task, but for those that say what a step says here. `timeout` is that of one attempt, from one sleep
    to the next. Raises TargetError, OptionError.
    """
    for name in _NOT_TAKEN.keys() & options.keys():
        raise OptionError(f"a workflow takes no {name}: {_NOT_TAKEN[name]}")
    if options.get("fallback") not in (None, HUMAN):
        raise OptionError(
            "a workflow falls back to a human alone, fallback='human': to other code it goes by itself, with `except`"
        )
    made = decorating(WorkflowTask, retry, False, options)

    def decorate(function: Callable[..., Any]) -> WorkflowTask[Any, Any, Any]:
        task: WorkflowTask[Any, Any, Any] = made(function)
        if not task.takes_context:
            raise TargetError(f"{task.target} is a workflow and takes no argument; its first must be the context")
        queue = JobOptions(queue=task.options.queue, priority=task.options.priority, timeout=task.options.timeout)
        # Not what is meant for the arguments of the workflow: those of the companion are an id.
        register(Task(rollback_of(task), queue, retry, bounds=replace(task.bounds, codec=None), sensitive=()))
        return task

    return decorate if function is None else decorate(function)
