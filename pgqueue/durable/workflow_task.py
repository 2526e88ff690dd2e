"""The task of a durable function: it is called with what remembers for it, and has a companion that takes it back."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

from pgqueue.context import current_job
from pgqueue.durable.async_context import AsyncDurable
from pgqueue.durable.context import Durable
from pgqueue.durable.core import Core
from pgqueue.durable.memos import ROLLBACK
from pgqueue.tasks import Task
from pgqueue.tasks.calling import Calling

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")


class WorkflowTask(Task[P, R], Generic[C, P, R]):
    """A durable function: jobs are enqueued without its first argument, the context that remembers its steps."""

    def __init__(self, function: Callable[..., R], *rest: Any, **named: Any) -> None:
        super().__init__(getattr(function, "own", function), *rest, **named)
        self.own = self.function
        # As a worker calls it.
        self.function = _entered_async(self) if self.is_async else _entered(self)

    def __call__(self, ctx: C, /, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]  # see above
        return self.own(ctx, *args, **kwargs)

    @property
    def takes_context(self) -> bool:
        """Whether there is a parameter for it."""
        return bool(inspect.signature(self.own).parameters)

    def _called(self) -> Calling:
        return Calling(self.function, self.target, given=1)


def rollback_of(task: WorkflowTask[Any, Any, Any]) -> Callable[..., Any]:
    """The function of the companion: a job of it has all that the one remembered that it takes back."""
    made = _rolled_back_async(task) if task.is_async else _rolled_back(task)
    made.__module__ = task.own.__module__
    made.__name__ = made.__qualname__ = f"{task.own.__name__}{ROLLBACK}"
    made.__doc__ = f"Undo what a job of {task.target} has done."
    return made


def _entered(task: WorkflowTask[Any, Any, Any]) -> Callable[..., Any]:
    own = task.own

    @functools.wraps(own)
    def run(*args: Any, **kwargs: Any) -> Any:
        core = Core(current_job(), task)
        value = own(Durable(core), *args, **kwargs)
        core.check_awake()
        return value

    run.own = own  # type: ignore[attr-defined]  # for using(), which makes a task of this again
    return run


def _entered_async(task: WorkflowTask[Any, Any, Any]) -> Callable[..., Any]:
    own = task.own

    @functools.wraps(own)
    async def run(*args: Any, **kwargs: Any) -> Any:
        core = Core(current_job(), task)
        value = await own(AsyncDurable(core), *args, **kwargs)
        core.check_awake()
        return value

    run.own = own  # type: ignore[attr-defined]  # as above
    return run


def _rolled_back(task: WorkflowTask[Any, Any, Any]) -> Callable[..., Any]:
    def rollback(job: str) -> None:
        core = Core(current_job(), task)
        for memo in core.line.finish(core.undos(), "let no event loop run round it"):
            Durable(core)._undo(memo)

    return rollback


def _rolled_back_async(task: WorkflowTask[Any, Any, Any]) -> Callable[..., Any]:
    async def rollback(job: str) -> None:
        core = Core(current_job(), task)
        for memo in await core.line.finish_async(core.undos()):
            await AsyncDurable(core)._undo(memo)

    return rollback
