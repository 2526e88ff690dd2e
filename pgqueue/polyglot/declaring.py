"""From a name and what runs it to a task: `shop:resize` for what the module `shop` declares as `resize`."""

from __future__ import annotations

import inspect
import types
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pgqueue.errors import OptionError, TargetError
from pgqueue.retry import RetryPolicy
from pgqueue.tasks import Task, task
from pgqueue.tasks.options import AllTaskOptions

Run = Callable[[], Awaitable[Any]]
# What a task of Python takes, and why there is nothing of it here.
_NOT_HERE = {
    "transactional": "it has no connection to give; let the other side write, or follow up by a task of Python",
    "batch": "each of its jobs is a call of its own",
    "batch_wait": "each of its jobs is a call of its own",
    "iterable": "it comes to no yield",
    "max_run": "it comes to no yield; say timeout",
}


def declared(
    name: str,
    module: str,
    run: Run,
    takes: Callable[..., Any] | None,
    retry: RetryPolicy,
    options: AllTaskOptions,
) -> Task[..., Any]:
    """Make the task `module:name`, whose jobs take what `takes` does. Raises TargetError, OptionError."""
    given: Mapping[str, Any] = options
    for option, why in _NOT_HERE.items():
        if option in given:
            raise OptionError(f"{name} is no code of Python, and takes no {option}: {why}")
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("__"):
        raise TargetError(
            f"name must be that of a variable, as in resize = command_task('resize', ...), got {name!r:.80}"
        )
    return task(retry=retry, **options)(_function(name, module, run, takes))


def _function(name: str, module: str, run: Run, takes: Callable[..., Any] | None) -> Callable[..., Any]:
    """A coroutine function of this name and this signature."""

    async def call(*args: Any, **kwargs: Any) -> Any:
        # The other side is told of the arguments as JSON has them.
        return await run()

    made: Any = call
    if takes is not None:
        _check_takes(takes)
        # With its globals: by them its annotations are read.
        made = types.FunctionType(call.__code__, takes.__globals__, name, None, call.__closure__)
        made.__signature__ = inspect.signature(takes)
        made.__annotations__ = takes.__annotations__
        made.__doc__ = takes.__doc__
    made.__name__ = made.__qualname__ = name
    made.__module__ = module
    function: Callable[..., Any] = made
    return function


def _check_takes(takes: Callable[..., Any]) -> None:
    if not isinstance(takes, types.FunctionType) or inspect.iscoroutinefunction(takes):
        raise OptionError(f"takes must be a plain function, whose parameters jobs are to fit, got {takes!r:.80}")
    for each in inspect.signature(takes).parameters.values():
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise OptionError(f"takes must name its parameters, and {each} has no name that the other side could read")
