"""The task: a function that jobs may call, with its options."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Generic, ParamSpec, Self, TypeVar, Unpack, overload

from pgqueue import encryption, returned
from pgqueue.arguments.mismatch import Mismatch, said
from pgqueue.call_options import CallOptions
from pgqueue.context import bound_connection, home_database
from pgqueue.cron import Timing
from pgqueue.database import address_of
from pgqueue.elsewhere import names_ours
from pgqueue.enqueued import Enqueued
from pgqueue.errors import ArgumentError, NotBound, OptionError
from pgqueue.habits import OF_TASKS
from pgqueue.hooks import Hooks
from pgqueue.job import Args, JobOptions, NewJob
from pgqueue.judge import Fallback, Terms
from pgqueue.naming import JobRef
from pgqueue.options import Duration
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy, seconds
from pgqueue.routes import routed
from pgqueue.sealed import codec_of
from pgqueue.sealing import sealed_args
from pgqueue.secrecy import Secrecy
from pgqueue.sending import send_one
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, open_connection
from pgqueue.tasks.bounds import Bounds
from pgqueue.tasks.calling import Calling
from pgqueue.tasks.following import NOTHING_FOLLOWS, Follows, with_follow_ups
from pgqueue.tasks.limit_key import LimitKey
from pgqueue.tasks.limited import Limits
from pgqueue.tasks.options import check_call_options
from pgqueue.tasks.registry import found, known
from pgqueue.tasks.target import check_function, check_importable

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")
V = TypeVar("V")


@names_ours("task", OF_TASKS)
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
        fallback: Fallback | None = None,
    ) -> None:
        check_function(function, iterable=bounds.iterable)
        if not isinstance(retry, RetryPolicy):
            raise OptionError(f"retry must be a policy such as pgqueue.Backoff(first=5), got {retry!r:.80}")
        functools.update_wrapper(self, function)
        self.function = function
        self.target = f"{function.__module__}:{function.__qualname__}"
        self.options = options or JobOptions()
        # Seconds, for whoever runs its jobs.
        self.timeout = None if self.options.timeout is None else seconds(self.options.timeout)
        self.retry = retry
        self.transactional = transactional
        self.bounds = bounds
        self.timing = timing
        if bounds.encrypted is not None:
            encryption.mark(self.target, bounds.encrypted)
        most = bounds.most_attempts(retry, self.options.max_attempts)
        self.terms = Terms(retry, most, bounds.on_timeout, bounds.on_expiry, bounds.at_most_once, fallback)
        self.is_async = inspect.iscoroutinefunction(function) or (
            bounds.iterable and inspect.isasyncgenfunction(inspect.unwrap(function))
        )
        self.batching = bounds.batching
        self.limits = limits
        self.calling = self._called()
        key = limits.limit_key
        self._limit_key = None if key is None else LimitKey(key, self.target, self.calling.signature)
        self.hooks = hooks
        self.follows = follows
        # Whether the database has to know of it before a job starts: at its end a worker may be gone.
        self.declared_first = bounds.at_most_once or follows.are_jobs
        self.sensitive = sensitive
        # Most say nothing, and their functions are not looked at.
        self.secrecy = Secrecy.of(sensitive, self.target, self.calling.signature) if sensitive else None
        if self.secrecy is not None and self._limit_key is not None:
            self._limit_key.check_shown(self.secrecy)
        self._said = self.options.said()

    def _called(self) -> Calling:
        """How its jobs call its function."""
        return Calling(self.function, self.target, given=int(self.transactional))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Task {self.target}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """By reference; with other options than the module's, by that reference and those options."""
        original = known.get(self.target, self)
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
        check_importable(self.function)
        stored = self.calling.stored(args, kwargs)
        said = self._said
        if self.options.queue is None and (queue := routed(self.target)) is not None:
            said = {**said, "queue": queue}
        new = NewJob(self.target, stored, **said)
        if self._limit_key is not None or self.bounds.codec is not None:
            new = self.kept(new)
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
        made = type(self)(
            self.function,
            options,
            self.retry,
            self.transactional,
            self.bounds,
            limits=self.limits,
            sensitive=self.sensitive,
            hooks=self.hooks,
            follows=self.follows,
            fallback=self.terms.fallback,
        )
        # What was found out about its function.
        made.calling = self.calling
        return made

    @property
    def takes_ended_job(self) -> bool:
        """Whether its argument `ended` is to be an EndedJob, by its annotation, and not what JSON makes of one."""
        return self.calling.takes_ended_job

    def misfit(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """How arguments do not fit the parameters, the connection of a transactional task apart; None if they do."""
        return self.calling.misfit(args, kwargs)

    def by_name(self, args: Sequence[Any]) -> dict[str, Any]:
        """Positional arguments by the names of their parameters. Raises ArgumentError."""
        return self.calling.by_name(args)

    def filled(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What each parameter of a job's call gets, defaults too. Raises TypeError if the arguments do not fit."""
        call = self.calling.signature.bind(*args, **kwargs)
        call.apply_defaults()
        return dict(call.arguments)

    def fitted(self, new: NewJob) -> NewJob:
        """A job of this task with its limit key, and its arguments as they are kept.

        Raises SignatureError, ArgumentError, OptionError, CodecError.
        """
        self.calling.check(new.args)
        return self.kept(new)

    def kept(self, new: NewJob) -> NewJob:
        """As fitted(), without a look at whether its arguments fit."""
        if new.limit_key is None and self._limit_key is not None and codec_of(new.args) is None:
            new = replace(new, limit_key=self._limit_key.of(new.args))
        if self.bounds.codec is None:
            return new
        if new.unique is not None:
            raise OptionError(
                f"{self.target} has a codec, which may write equal arguments differently; say unique_key, not unique"
            )
        return replace(new, args=self.sealed(new.args))

    def sealed(self, args: Args) -> Args:
        """Arguments as the task's codec writes them; as they are if it has none. Raises CodecError, ArgumentError."""
        return args if self.bounds.codec is None else sealed_args(self.bounds.codec, args)

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether its jobs' arguments go in as JSON has them: nothing is to be opened, nothing converted."""
        return self.bounds.codec is None and self.calling.conversion is None and not self.is_encrypted

    @property
    def is_encrypted(self) -> bool:
        """Whether what is written of its jobs is encrypted here."""
        return encryption.is_encrypted(self.target)

    @overload
    def result(
        self: Task[Any, Coroutine[Any, Any, V]], conn: SyncConnection, job_id: JobRef, timeout: Duration | None = None
    ) -> V: ...
    @overload
    def result(
        self: Task[Any, Coroutine[Any, Any, V]], conn: AsyncConnection, job_id: JobRef, timeout: Duration | None = None
    ) -> Awaitable[V]: ...
    @overload
    def result(self, conn: SyncConnection, job_id: JobRef, timeout: Duration | None = None) -> R: ...
    @overload
    def result(self, conn: AsyncConnection, job_id: JobRef, timeout: Duration | None = None) -> Awaitable[R]: ...
    def result(self, conn: AnyConnection, job_id: JobRef, timeout: Duration | None = None) -> Any:
        """What a job of this task returned, as the function's annotation says; else as pgqueue.result()."""
        wait: Callable[..., Any] = returned.result
        return wait(conn, job_id, timeout, task=self)

    def returned(self, value: Any) -> Any:
        """What was stored as a result, as the function returned it. Raises ArgumentError where it is something else."""
        reader = self.calling.result
        if reader is None or value is None:
            return value
        try:
            return reader(value)
        except (Mismatch, RecursionError) as error:
            raise ArgumentError(f"{self.target}: {said(error, 'result')}") from error


class TransactionalTask(Task[P, R], Generic[C, P, R]):
    """A task whose first argument is the connection of its job's transaction; jobs are enqueued without it."""

    def __call__(self, conn: C, /, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]  # see above
        return self.function(conn, *args, **kwargs)


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
