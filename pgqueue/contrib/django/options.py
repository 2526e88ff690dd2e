"""What a task of Django's framework says to pgqueue beside what the framework lets it say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Unpack

from pgqueue.retry import RetryPolicy
from pgqueue.tasks.options import AllTaskOptions, check_task_options

F = TypeVar("F", bound=Callable[..., Any])
_NAME = "pgqueue_options"


def job_options(*, retry: RetryPolicy | None = None, **options: Unpack[AllTaskOptions]) -> Callable[[F], F]:
    """Options of pgqueue's for the jobs of a task, below the framework's decorator: what `@pgqueue.task` takes.

        @task
        @job_options(max_attempts=3, timeout=60, retry=pgqueue.Fixed(30))
        def send_receipt(order_id): ...

    They hold where `OPTIONS` of the backend says something else. Raises OptionError.
    """
    check_task_options(options)
    said = {**options, **({} if retry is None else {"retry": retry})}

    def decorate(function: F) -> F:
        setattr(function, _NAME, said)
        return function

    return decorate


def options_of(function: Callable[..., Any]) -> Mapping[str, Any]:
    """What a function's decorator has said."""
    said: Mapping[str, Any] = getattr(function, _NAME, {})
    return said
