"""What jobs may call under a worker with some modules, found as by the target of a job: one answer for all who ask."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pgqueue.tasks.lookup import Refused, find_task
from pgqueue.tasks.modules import Modules
from pgqueue.tasks.offered import offered_by
from pgqueue.tasks.registry import registered, registered_tasks
from pgqueue.tasks.task import Task


def callable_tasks(modules: Modules) -> list[Task[..., Any]]:
    """The tasks and plain functions that jobs may call, by name, once the modules are imported."""
    known = {task.target: task for task in registered_tasks()}
    for target in plain_targets(modules):
        with suppress(Refused):
            known[target] = find_task(target, modules)
    return [known[target] for target in sorted(known)]


def plain_targets(modules: Modules) -> frozenset[str]:
    """The plain functions that jobs may call, once the modules are imported."""
    found = (target for module in modules.offering for target in offered_by(module))
    return frozenset(target for target in found if registered(target) is None)
