"""What a target may be: the text `module:function`, and a function that can be found again by it."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable

from pgqueue.errors import TargetError


@functools.lru_cache(maxsize=1024)
def fault_in(target: str) -> str | None:
    """What keeps a text from being a target `module:function`."""
    module, colon, name = target.partition(":")
    parts = [*module.split("."), name]
    if not colon or len(target) > 500 or not all(part.isidentifier() for part in parts):
        return f"must read 'module:function', got {target!r:.200}"
    if any(part.startswith("__") and part.endswith("__") for part in parts):
        return f"names a part of Python itself, not a task: {target!r:.200}"
    return None


def check_function(function: object, *, iterable: bool = False) -> None:
    """Raise TargetError for what cannot be found again by module and name, or would not run when called.

    An `iterable` one is a generator, sync or async, and no other is.
    """
    if isinstance(function, type):
        raise TargetError(f"{function.__qualname__} is a class; a task is a module-level function")
    if not isinstance(function, types.FunctionType):
        raise TargetError(f"{function!r:.80} is a {type(function).__name__}; a task is a module-level function")
    name = function.__qualname__
    if function.__name__ == "<lambda>":
        raise TargetError("a lambda has no name that a worker could find; write a module-level function")
    if "<locals>" in name:
        raise TargetError(f"{name} is defined inside a function, where no worker can find it; move it to module level")
    if "." in name:
        raise TargetError(f"{name} is a method; a task is a module-level function")
    try:
        own = inspect.unwrap(function)
    except ValueError:
        raise TargetError(f"{name} wraps itself, by its __wrapped__; a task is a module-level function") from None
    generates = inspect.isgeneratorfunction(own) or inspect.isasyncgenfunction(own)
    if generates and not iterable:
        raise TargetError(
            f"{name} is a generator: calling it runs nothing; return a value instead of yielding, or say"
            " @task(iterable=True) to have it run from yield to yield"
        )
    if iterable and not generates:
        raise TargetError(f"{name} is iterable=True and yields nothing; yield after each unit of its work")


def check_importable(function: Callable[..., object]) -> None:
    """Raise TargetError for what stands in the program that was started, and nowhere else."""
    if function.__module__ == "__main__":
        raise TargetError(
            f"{function.__qualname__} is defined in __main__, which in a worker is another file; move it to a module"
            " that both can import"
        )
