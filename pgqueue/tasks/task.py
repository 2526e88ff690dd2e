"""The task: a function that jobs may call, with its options, and the registry of all."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, ParamSpec, Self, TypeVar, Unpack, get_args, overload

from pgqueue.call_options import CallOptions
from pgqueue.context import bound_connection, home_database
from pgqueue.cron import Timing
from pgqueue.database import address_of
from pgqueue.enqueued import Enqueued
from pgqueue.errors import ArgumentError, NotBound, OptionError, TargetError
from pgqueue.hooks import Hooks
from pgqueue.job import Args, JobOptions, NewJob, Target
from pgqueue.judge import Terms
from pgqueue.record import EndedJob
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy
from pgqueue.routes import routed
from pgqueue.secrecy import Secrecy
from pgqueue.sending import send_one
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, open_connection
from pgqueue.tasks.bounds import Bounds
from pgqueue.tasks.following import ENDED, NOTHING_FOLLOWS, Follows, with_follow_ups
from pgqueue.tasks.limit_key import LimitKey
from pgqueue.tasks.limited import Limits
from pgqueue.tasks.options import check_call_options
from pgqueue.tasks.target import check_function, fault_in

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")


class Task(Generic[P, R]):
    """A function that jobs may call, and how its jobs wait, retry and run. Calling it is an ordinary call."""

    __name__: str

    def __init__(
        self,
        function: Callable[..., R],
        options: JobOptions | None = None,
        retry: RetryPolicy = DEFAULT_RETRY,
        transactional: bool = False,
        bounds: Bounds = Bounds(),  # noqa: B008  # frozen
        timing: Timing | None = None,
        limits: Limits = Limits(),  # noqa: B008  # frozen
        sensitive: bool | Collection[str] = (),
        hooks: Hooks = MappingProxyType({}),
        follows: Follows = NOTHING_FOLLOWS,
    ) -> None:
        check_function(function, iterable=bounds.iterable)
        if not isinstance(retry, RetryPolicy):
            raise OptionError(f"retry must be a policy such as pgqueue.Backoff(first=5), got {retry!r:.80}")
        functools.update_wrapper(self, function)
        self.function = function
        self.target = f"{function.__module__}:{function.__qualname__}"
        self.options = options or JobOptions()
        self.retry = retry
        self.transactional = transactional
        self.bounds = bounds
        self.timing = timing
        most = bounds.most_attempts(retry, self.options.max_attempts)
        self.terms = Terms(retry, most, bounds.on_timeout, bounds.on_expiry, at_most_once=bounds.at_most_once)
        self.is_async = inspect.iscoroutinefunction(function) or (
            bounds.iterable and inspect.isasyncgenfunction(inspect.unwrap(function))
        )
        self.limits = limits
        key = limits.limit_key
        self._limit_key = None if key is None else LimitKey(key, self.target, self._signature)
        self.hooks = hooks
        self.follows = follows
        self.sensitive = sensitive
        # Most say nothing, and their functions are not looked at.
        self.secrecy = Secrecy.of(sensitive, self.target, self._signature) if sensitive else None
        if self.secrecy is not None and self._limit_key is not None:
            self._limit_key.check_shown(self.secrecy)
        self._said = self.options.said()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Task {self.target}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """By reference; with other options than the module's, by that reference and those options."""
        original = _registry.get(self.target, self)
        return self.__name__ if original is self else (_with_options, (original, self.options))

    @overload
    def enqueue(self, conn: SyncConnection, /, *args: P.args, **kwargs: P.kwargs) -> Enqueued: ...
    @overload
    def enqueue(self, conn: AsyncConnection, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[Enqueued]: ...
    def enqueue(self, conn: AnyConnection, /, *args: P.args, **kwargs: P.kwargs) -> Enqueued | Awaitable[Enqueued]:
        """Enqueue a call with these arguments in the transaction open on `conn`.

        Raises ArgumentError if the function cannot be called with them, or if they are not JSON.
        """
        return send_one(conn, self.job(*args, **kwargs))

    def delay(self, /, *args: P.args, **kwargs: P.kwargs) -> Enqueued:
        """Enqueue a call on the connection bound by `with pgqueue.bound(conn):`, in its transaction.

        Outside such a block: on a connection of its own to PGQUEUE_DSN (which may read `embedded:`), committed on
        return. Raises NotBound without.
        """
        job = self.job(*args, **kwargs)
        conn = bound_connection()
        if conn is not None:
            return send_one(conn, job)
        with open_connection(address_of(_own_dsn(self.__name__)), "enqueue") as own:
            return send_one(own, job)

    def job(self, /, *args: P.args, **kwargs: P.kwargs) -> NewJob:
        """A call with these arguments as a value, for enqueue_many()."""
        if self.function.__module__ == "__main__":
            target_of(self.function)
        stored = self._stored(args, kwargs)
        said = self._said
        if self.options.queue is None and (queue := routed(self.target)) is not None:
            said = {**said, "queue": queue}
        if self._limit_key is None or self.options.limit_key is not None:
            new = NewJob(self.target, stored, **said)
        else:
            new = NewJob(self.target, stored, **said, limit_key=self._limit_key.of(stored))
        return with_follow_ups(new, found) if self.options.is_followed else new

    def limit_key_of(self, args: Args) -> str | None:
        """The limit key of a call with these arguments; None if the task makes none. Raises ArgumentError."""
        return None if self._limit_key is None else self._limit_key.of(args)

    def declared_limit(self) -> dict[str, Any] | None:
        """The limit that the task declares, by the names of columns; None if it declares none."""
        return self.limits.said(self.target, None if self._limit_key is None else self._limit_key.rule)

    def using(self, **options: Unpack[CallOptions]) -> Self:
        """This task with other options for its jobs; what is not named stays, and so do the bounds of the task."""
        check_call_options("using", options)
        return self._with(JobOptions(**options).over(self.options))

    def _with(self, options: JobOptions) -> Self:
        return type(self)(
            self.function,
            options,
            self.retry,
            self.transactional,
            self.bounds,
            limits=self.limits,
            sensitive=self.sensitive,
            hooks=self.hooks,
            follows=self.follows,
        )

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        """How the function is called by a job: without the connection that the worker gives it."""
        signature = inspect.signature(self.function)
        if not self.transactional:
            return signature
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    @functools.cached_property
    def takes_ended_job(self) -> bool:
        """Whether its argument `ended` is to be an EndedJob, by its annotation, and not what JSON makes of one."""
        said = self._signature.parameters.get(ENDED)
        if said is None:
            return False
        wanted = said.annotation
        return EndedJob.__name__ in wanted if isinstance(wanted, str) else EndedJob in (wanted, *get_args(wanted))

    def misfit(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """How arguments do not fit the parameters, the connection of a transactional task apart; None if they do."""
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            return f"{error}; its arguments are {self.__name__}{self._signature}"
        return None

    def by_name(self, args: Sequence[Any]) -> dict[str, Any]:
        """Positional arguments by the names of their parameters. Raises ArgumentError."""
        try:
            call = self._signature.bind_partial(*args)
        except TypeError as error:
            raise ArgumentError(f"{self.target}: {error}") from None
        return dict(call.arguments)

    def filled(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What each parameter of a job's call gets, defaults too. Raises TypeError if the arguments do not fit."""
        call = self._signature.bind(*args, **kwargs)
        call.apply_defaults()
        return dict(call.arguments)

    def _stored(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Args:
        """The arguments as given if all are positional or all by keyword, else all by name where that can be."""
        if misfit := self.misfit(args, kwargs):
            raise ArgumentError(f"{self.target}: {misfit}")
        call = self._signature.bind(*args, **kwargs)
        if not kwargs:
            return args or None
        if not args:
            return kwargs
        parameters = list(self._signature.parameters.values())[: len(args)]
        if len(parameters) == len(args) and all(each.kind is each.POSITIONAL_OR_KEYWORD for each in parameters):
            return {**{each.name: value for each, value in zip(parameters, args, strict=True)}, **kwargs}
        if call.kwargs:
            raise ArgumentError(
                f"{self.target}: a job's arguments are all positional or all by keyword, and"
                f" {', '.join(call.kwargs)} can only be given by keyword; give the others by keyword, too"
            )
        return call.args


class TransactionalTask(Task[P, R], Generic[C, P, R]):
    """A task whose first argument is the connection of its job's transaction; jobs are enqueued without it."""

    def __call__(self, conn: C, /, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]  # see above
        return self.function(conn, *args, **kwargs)


# Every @task of the modules imported so far, by target; a reloaded module's tasks replace the old ones.
_registry: dict[str, Task[..., Any]] = {}


def register(task: Task[..., Any]) -> None:
    """Have a task found by its target, in this process."""
    _registry[task.target] = task


def registered(target: str) -> Task[..., Any] | None:
    """The @task of this name, if its module is imported in this process."""
    return _registry.get(target)


def registered_tasks() -> list[Task[..., Any]]:
    """Every @task of the modules imported in this process, by name."""
    return [_registry[target] for target in sorted(_registry)]


def found(target: Target) -> tuple[str, Task[..., Any] | None]:
    """The name of a target, and its task, if that is known here. Raises TargetError."""
    name = target_of(target)
    return name, target if isinstance(target, Task) else registered(name)


def target_of(task: str | Task[..., Any] | Callable[..., Any]) -> str:
    """The target `module:function` of a task, a module-level function, or a text that is one.

    Raises TargetError for what no worker could call.
    """
    if isinstance(task, str):
        if fault := fault_in(task):
            raise TargetError(f"target {fault}")
        return task
    function = task.function if isinstance(task, Task) else task
    check_function(function, iterable=isinstance(task, Task) and task.bounds.iterable)
    if function.__module__ == "__main__":
        raise TargetError(
            f"{function.__qualname__} is defined in __main__, which in a worker is another file; move it to a module"
            " that both can import"
        )
    return f"{function.__module__}:{function.__qualname__}"


def _with_options(original: Task[..., Any], options: JobOptions) -> Task[..., Any]:
    return original._with(options)


def _own_dsn(name: str) -> str:
    dsn = home_database() or os.environ.get("PGQUEUE_DSN")
    if not dsn:
        raise NotBound(
            f"{name}.delay() has no connection: call it inside `with pgqueue.bound(conn):`, use"
            f" {name}.enqueue(conn, ...), or set PGQUEUE_DSN"
        )
    return dsn
