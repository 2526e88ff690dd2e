"""Tasks by their targets, in this process; a task itself is found here, too, and so is told by its looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from pgqueue.company import Batching
from pgqueue.errors import TargetError
from pgqueue.job import Target
from pgqueue.tasks.target import check_function, check_importable, fault_in

if TYPE_CHECKING:
    from pgqueue.tasks.task import Task

# Every @task of the modules imported so far, by target; a reloaded module's tasks replace the old ones.
known: dict[str, Task[..., Any]] = {}
# Of those the ones that run many jobs in one call.
_batching: dict[str, Batching] = {}


def register(task: Task[..., Any]) -> None:
    """Have a task found by its target, in this process."""
    known[task.target] = task
    _batching.pop(task.target, None)
    if task.batching is not None:
        _batching[task.target] = task.batching


def registered(target: str) -> Task[..., Any] | None:
    """The @task of this name, if its module is imported in this process."""
    return known.get(target)


def registered_tasks() -> list[Task[..., Any]]:
    """Every @task of the modules imported in this process, by name."""
    return [known[target] for target in sorted(known)]


def registered_batching() -> Mapping[str, Batching]:
    """How the tasks of this process run jobs together, by target: those that do."""
    return _batching


def found(target: Target) -> tuple[str, Task[..., Any] | None]:
    """The name of a target, and its task, if that is known here. Raises TargetError."""
    name = target_of(target)
    return name, target if _is_task(target) else registered(name)


def target_of(task: Target) -> str:
    """The target `module:function` of a task, a module-level function, or a text that is one.

    Raises TargetError for what no worker could call.
    """
    if isinstance(task, str):
        if fault := fault_in(task):
            raise TargetError(f"target {fault}")
        return task
    function = task.function if _is_task(task) else task
    check_function(function, iterable=_is_task(task) and task.bounds.iterable)
    check_importable(function)
    return f"{function.__module__}:{function.__qualname__}"


def _is_task(target: object) -> TypeGuard[Task[..., Any]]:
    return hasattr(target, "calling") and hasattr(target, "function")
