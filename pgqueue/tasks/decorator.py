"""`@task`: what makes a function a task, with all that may be said of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, Unpack, overload

from pgqueue.batch import Batch
from pgqueue.cron import TIMING_NAMES, Timing
from pgqueue.errors import OptionError, TargetError
from pgqueue.job import JobOptions
from pgqueue.options import Duration, check_flag
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy
from pgqueue.tasks import following
from pgqueue.tasks.batch_task import BatchTask
from pgqueue.tasks.bounds import BOUND_NAMES, Bounds
from pgqueue.tasks.fallbacks import check_fallback, fallback_taken
from pgqueue.tasks.hooks import taken
from pgqueue.tasks.limited import LIMIT_NAMES, Limits
from pgqueue.tasks.options import AllTaskOptions, check_scheduled, check_task_options
from pgqueue.tasks.registry import found, register
from pgqueue.tasks.task import Task, TransactionalTask

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")
T = TypeVar("T")


@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    batch: int,
    batch_wait: Duration | None = ...,
    transactional: Literal[True],
    retry: RetryPolicy = ...,
    **options: Unpack[AllTaskOptions],
) -> Callable[[Callable[[C, Batch[T]], R]], BatchTask[T, R]]: ...
@overload
def task(
    *,
    batch: int,
    batch_wait: Duration | None = ...,
    transactional: Literal[False] = False,
    retry: RetryPolicy = ...,
    **options: Unpack[AllTaskOptions],
) -> Callable[[Callable[[Batch[T]], R]], BatchTask[T, R]]: ...
@overload
def task(
    *, transactional: Literal[True], retry: RetryPolicy = ..., **options: Unpack[AllTaskOptions]
) -> Callable[[Callable[Concatenate[C, P], R]], TransactionalTask[C, P, R]]: ...
@overload
def task(
    *, transactional: Literal[False] = False, retry: RetryPolicy = ..., **options: Unpack[AllTaskOptions]
) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    transactional: bool = False,
    retry: RetryPolicy = DEFAULT_RETRY,
    batch: int | None = None,
    batch_wait: Duration | None = None,
    **options: Unpack[AllTaskOptions],
) -> Any:
    """Make a module-level function, sync or async, a task: jobs may call it, and worker and producer know its options.

    `transactional`: the function is given a psycopg connection first; what it writes there commits with its success.
    `batch`: it is given up to so many jobs at once, as a Batch; the first of them waits `batch_wait` (0.2) seconds for
    others.
    Raises TargetError for what no worker could find again: lambdas, local functions, methods, classes.
    """
    check_flag("transactional", transactional)
    kind: type[Task[..., Any]] = TransactionalTask if transactional else Task
    kind = kind if batch is None else BatchTask
    decorate = decorating(kind, retry, transactional, options, {"batch": batch, "batch_wait": batch_wait})
    return decorate if function is None else decorate(function)


def decorating(
    kind: type[Task[..., Any]],
    retry: RetryPolicy,
    transactional: bool,
    options: Mapping[str, Any],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Callable[[Callable[..., Any]], Any]:
    """What makes functions tasks of this kind, which are found by their targets from then on. Raises OptionError."""
    check_task_options(options)
    given: dict[str, Any] = {**options, **more}
    when = {name: value for name in TIMING_NAMES & given.keys() if (value := given.pop(name)) is not None}
    follows = following.taken(given)
    hooks = taken(given)
    bounds = Bounds(**{name: given.pop(name) for name in BOUND_NAMES & given.keys()})
    limits = Limits(**{name: given.pop(name) for name in LIMIT_NAMES & given.keys()})
    sensitive = given.pop("sensitive", ())
    fallback = fallback_taken(given)
    defaults = JobOptions(**given)
    bounds.check_against(defaults.timeout)
    timing = Timing(**when) if when else None

    def decorate(function: Callable[..., Any]) -> Task[..., Any]:
        task = kind(
            function, defaults, retry, transactional, bounds, timing, limits, sensitive, hooks, follows, fallback
        )
        if transactional and not inspect.signature(function).parameters:
            raise TargetError(f"{task.target} is transactional and takes no argument; its first must be the connection")
        if isinstance(task, BatchTask):
            task.check()
        if timing is not None:
            check_scheduled(task.target, task.misfit((), {}), defaults.on_conflict)
        check_fallback(task)
        _check_limit(task)
        if follows.are_jobs:
            follows.check(found)
        register(task)
        return task

    return decorate


# Which task declared the limit of these keys.
_key_limits: dict[str, Task[..., Any]] = {}


def _check_limit(task: Task[..., Any]) -> None:
    """Raise OptionError if another task declares another limit of the same keys."""
    said = task.declared_limit()
    if said is None or said["scope"] != "key":
        return
    other = _key_limits.setdefault(said["name"], task)
    if other.target != task.target and other.declared_limit() != said:
        raise OptionError(
            f"{task.target} and {other.target} declare different limits of the keys {said['name']!r}; let them say the"
            " same, or let one of them say only limit_key"
        )
    _key_limits[said["name"]] = task
