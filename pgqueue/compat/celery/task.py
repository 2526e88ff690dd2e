"""The task: a function that jobs may call, with Celery's ways of calling it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from pgqueue.compat.celery.call_options import seconds_until
from pgqueue.compat.celery.current import current
from pgqueue.compat.celery.exceptions import MaxRetriesExceededError, Retry
from pgqueue.compat.celery.mapped import chunks, xmap, xstarmap
from pgqueue.compat.celery.request import Request
from pgqueue.compat.celery.result import AsyncResult
from pgqueue.compat.celery.signatures import Signature
from pgqueue.compat.celery.task_options import Retrying, TaskOptions
from pgqueue.elsewhere import missing_attribute
from pgqueue.errors import OptionError
from pgqueue.retry import seconds
from pgqueue.tasks import Task
from pgqueue.tasks import task as pgqueue_task

if TYPE_CHECKING:
    from pgqueue.compat.celery.app import Celery

_ELSEWHERE: Mapping[str, str] = {
    "add_to_chord": "say pgqueue.current_job().add(job)",
    "after_return": "say @pgqueue.hooks.on_success and others",
    "apply": "in tests say pgqueue.testing.run_job(task.task, args)",
    "backend": "results are in the database of the jobs",
    "before_start": "say @pgqueue.hooks.on_start",
    "on_failure": "say @pgqueue.hooks.on_dead",
    "on_retry": "say @pgqueue.hooks.on_retry",
    "on_success": "say @pgqueue.hooks.on_success",
    "replace": "say pgqueue.current_job().add(job), and return",
    "send_event": "say pgqueue.current_job().log(...), or an observer of the worker",
    "send_events": "every attempt is written down",
    "start_strategy": "there is no strategy here; the worker calls the function",
    "subtask_from_request": "say self.s(...)",
    "update_state": "say pgqueue.current_job().progress(done, total, note)",
}


class CeleryTask:
    """A function that jobs may call. Calling it is an ordinary call; `task` is pgqueue's own Task of it.

    `enqueue(conn, ...)`, `job(...)` are that one's: what code can go over to, call by call.
    """

    def __init__(self, function: Callable[..., Any], name: str, said: TaskOptions, app: Celery | None) -> None:
        make: Callable[[Callable[..., Any]], Task[..., Any]] = pgqueue_task(retry=said.policy, **said.ours)
        self.task = make(function)
        self.name = name
        self._app = app
        self._retrying: Retrying = said.retrying
        self._store_result = said.store_result
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        self.__wrapped__ = function
        self.request = Request(name)
        self.enqueue, self.job, self.target = self.task.enqueue, self.task.job, self.task.target

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.task.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<@task: {self.name}>"

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("task", name, _ELSEWHERE)

    @property
    def app(self) -> Celery:
        """The app that it belongs to; of a shared task the current one."""
        if self._app is not None:
            return self._app
        return current()

    @property
    def max_retries(self) -> int | None:
        """How often it may ask to be run again; None: without end."""
        return self._retrying.max_retries

    @property
    def default_retry_delay(self) -> float:
        """The seconds until it is run again, where nothing else is said."""
        return self._retrying.delay

    @property
    def store_result(self) -> bool | None:
        """Whether its jobs keep what they return; None: as the app says."""
        return self._store_result

    def delay(self, *args: Any, **kwargs: Any) -> AsyncResult:
        """Enqueue a call: on the connection bound by pgqueue.bound(), else on its own, committed on return."""
        result: AsyncResult = self.s(*args, **kwargs).apply_async()
        return result

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> AsyncResult:
        """As delay(), with options; with `connection=conn` in the transaction open there, which is not committed."""
        result: AsyncResult = self.signature(args, kwargs, **options).apply_async()
        return result

    def s(self, *args: Any, **kwargs: Any) -> Signature:
        """A call as a value."""
        return Signature(self, args, kwargs)

    def si(self, *args: Any, **kwargs: Any) -> Signature:
        """A call as a value, which takes no more arguments."""
        return Signature(self, args, kwargs, immutable=True)

    def signature(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        immutable: bool = False,
        **options: Any,
    ) -> Signature:
        """A call as a value, with options of apply_async()."""
        return Signature(self, args or (), kwargs or {}, options, immutable)

    subtask = signature

    def map(self, it: Iterable[Any]) -> xmap:
        """One job that calls it with each item in turn."""
        return xmap(self, it)

    def starmap(self, it: Iterable[Sequence[Any]]) -> xstarmap:
        """One job that calls it with the arguments of each item in turn."""
        return xstarmap(self, it)

    def chunks(self, it: Iterable[Sequence[Any]], n: int) -> chunks:
        """Jobs each of which calls it with the arguments of `n` items in turn."""
        return chunks(self, it, n)

    def AsyncResult(self, task_id: str) -> AsyncResult:  # as Celery calls it
        """The result of a job of it, by its id."""
        return AsyncResult(task_id, app=self.app)

    def retry(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Any,
    ) -> BaseException:
        """Have the job run again: `raise self.retry(exc=exc)`.

        After the last retry it raises `exc`, or what is being handled, else MaxRetriesExceededError.
        """
        if args is not None or kwargs is not None or options:
            raise OptionError(
                "self.retry() runs the same job again: leave args, kwargs and options out, or enqueue another job"
            )
        if self.request.called_directly:
            raise exc or _handled() or Retry("the task was called directly, and cannot be run again")
        most = self._most_retries(max_retries)
        if most is not None and self.request.retries >= most:
            self._give_up(exc)
        again = Retry(exc=exc, when=self._wait(eta, countdown))
        if throw:
            raise again
        return again

    def _most_retries(self, said: int | None) -> int | None:
        own = self.max_retries
        if said is not None and own is not None and said > own:
            raise OptionError(f"max_retries={said} is more than {self.name} may have, {own}; say it in @app.task(...)")
        return own if said is None else said

    def _wait(self, eta: datetime | None, countdown: float | None) -> float:
        if eta is not None:
            return max(0.0, seconds_until(eta, self.app.conf))
        return self.default_retry_delay if countdown is None else seconds(countdown)

    def _give_up(self, exc: BaseException | None) -> NoReturn:
        error = exc or _handled()
        if error is not None:
            raise error
        raise MaxRetriesExceededError(f"{self.name}[{self.request.id}] has been run again {self.request.retries} times")


def _handled() -> BaseException | None:
    """What is being handled, as in `except Error: raise self.retry()`."""
    return sys.exc_info()[1]


def name_of(function: Callable[..., Any], said: str | None) -> str:
    """What Celery calls a task: `module.function`, or as it was said."""
    return said or f"{function.__module__}.{function.__name__}"
