"""Celery's names on pgqueue: `from pgqueue.compat.celery import Celery` in place of `from celery import Celery`.

A guide says what is the same, what differs, and how both run side by side: docs/guides/from-celery.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pgqueue.compat.celery import own_tasks  # noqa: F401  # so that workers find them
from pgqueue.compat.celery.app import Celery, made_task
from pgqueue.compat.celery.canvas import chord, group
from pgqueue.compat.celery.current import current, current_app, has_current
from pgqueue.compat.celery.mapped import chunks, xmap, xstarmap
from pgqueue.compat.celery.piece import chain
from pgqueue.compat.celery.result import AsyncResult
from pgqueue.compat.celery.settings import Settings
from pgqueue.compat.celery.signatures import Signature
from pgqueue.elsewhere import missing_name

__all__ = [
    "AsyncResult",
    "Celery",
    "Signature",
    "chain",
    "chord",
    "chunks",
    "current_app",
    "group",
    "maybe_signature",
    "shared_task",
    "signature",
    "subtask",
    "xmap",
    "xstarmap",
]

_ELSEWHERE: Mapping[str, str] = {
    "Task": "a task is a function; what its class did before or after it is a hook: @pgqueue.hooks.on_dead and others",
    "abstract": "there is no canvas protocol of your own; see pgqueue.Workflow",
    "bootsteps": "there are none; see pgqueue.hooks",
    "current_task": "say bind=True, or pgqueue.current_job()",
    "group_from": "write group(...)",
    "platforms": "run `pgqueue worker`",
    "signals": "they are hooks here: @pgqueue.hooks.on_start, on_success, on_error, on_worker_start and others",
    "uuid": "say uuid.uuid4() of Python's own",
    "worker": "run `pgqueue worker -A` with the module of the app",
}


def shared_task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """As `app.task`, for whichever app is there when the task is called."""
    conf = current().conf if has_current() else Settings()
    if function is not None:
        return made_task(function, None, conf, options)
    return lambda below: made_task(below, None, conf, options)


def signature(varies: Any, *args: Any, **kwargs: Any) -> Any:
    """A call as a value, by the name of its task: `signature("tasks.add", args=(2, 2), countdown=10)`."""
    return varies if isinstance(varies, Signature) else Signature(varies, *args, **kwargs)


subtask = maybe_signature = signature


def __getattr__(name: str) -> Any:
    return missing_name(__name__, name, _ELSEWHERE)
