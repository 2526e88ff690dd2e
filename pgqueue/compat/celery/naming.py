"""Tasks by Celery's names, `module.function`, and by ours, `module:function`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgqueue.errors import TargetError

if TYPE_CHECKING:
    from pgqueue.compat.celery.task import CeleryTask

# The tasks of this process by Celery's names.
known: dict[str, CeleryTask] = {}


def target_of_name(name: str) -> str:
    """The target of a task by Celery's name; of one that is not imported here it is taken to be `module.function`."""
    task = known.get(name)
    if task is not None:
        target: str = task.target
        return target
    if ":" in name:
        return name
    module, dot, function = name.rpartition(".")
    if not dot:
        raise TargetError(
            f"no task {name!r} is imported here, and it does not read 'module.function'; import its module first"
        )
    return f"{module}:{function}"
