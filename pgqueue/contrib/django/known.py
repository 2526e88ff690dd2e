"""Tasks of Django's framework as tasks that workers know: by the target `module:function`, with options of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pgqueue.contrib.django.call import apart, read
from pgqueue.contrib.django.options import options_of
from pgqueue.contrib.django.running import in_worker
from pgqueue.errors import SignatureError
from pgqueue.job import Args
from pgqueue.retry import DEFAULT_RETRY
from pgqueue.tasks import Task, registered
from pgqueue.tasks.calling import Calling
from pgqueue.tasks.decorator import decorating


class FrameworkTask(Task[..., Any]):
    """Runs the jobs of a task of the framework; its arguments and results are JSON as it stands."""

    def _called(self) -> Calling:
        framework_task = self.function.task  # type: ignore[attr-defined]  # set by in_worker()
        return FrameworkCalling(framework_task.func, self.target, given=int(framework_task.takes_context))


class FrameworkCalling(Calling):
    """How the framework calls functions: by place and by name in one call, and annotations convert nothing."""

    conversion = None
    result = None

    def misfit(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """How arguments as a job keeps them do not fit."""
        return super().misfit(*apart(args, kwargs))

    def check(self, args: Args) -> None:
        """Raise SignatureError if a job's arguments do not fit."""
        if misfit := self.misfit(*read(args)):
            raise SignatureError(f"{self._target}: {misfit}")


def known(task: Any, defaults: Mapping[str, Any]) -> Task[..., Any]:
    """The task of ours that runs the jobs of one of the framework's, which workers find from now on.

    `defaults` are options where the function says none. Raises TargetError, OptionError.
    """
    function = task.func
    found = registered(f"{function.__module__}:{function.__qualname__}")
    if isinstance(found, FrameworkTask) and found.function.task.func is function:  # type: ignore[attr-defined]
        return found
    options = {**defaults, **options_of(function)}
    retry = options.pop("retry", DEFAULT_RETRY)
    made: Task[..., Any] = decorating(FrameworkTask, retry, False, options)(in_worker(task))
    return made
