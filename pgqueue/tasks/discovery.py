"""What jobs may call under a worker with some apps, found as by the target of a job: one answer for all who ask."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any

from pgqueue.tasks.lookup import Refused, Unknown, find_task
from pgqueue.tasks.registry import registered_tasks
from pgqueue.tasks.task import Task


def callable_tasks(apps: Sequence[str]) -> tuple[list[Task[..., Any]], list[str]]:
    """The tasks and plain functions that jobs may call, and what could not be imported, in words.

    Imports the modules below the apps, as a job that names one makes a worker do; `__main__` is nobody's to import.
    """
    faults = [fault for app in apps for fault in _import_below(app)]
    plain = {task.target: task for app in apps for module in _modules_of(app) for task in _functions_of(module, apps)}
    known = plain | {task.target: task for task in registered_tasks()}
    return [known[target] for target in sorted(known)], faults


def _import_below(app: str) -> Iterator[str]:
    package = sys.modules[app]
    for found in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{app}."):
        if found.name.endswith(".__main__"):
            continue
        try:
            importlib.import_module(found.name)
        except (Exception, SystemExit) as error:
            yield f"{found.name} cannot be imported: {type(error).__name__}: {error}"
        else:
            yield from _import_below(found.name)


def _modules_of(app: str) -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name == app or name.startswith(f"{app}.")]


def _functions_of(module: ModuleType, apps: Sequence[str]) -> Iterator[Task[..., Any]]:
    for name, member in list(vars(module).items()):
        if isinstance(member, FunctionType):
            try:
                yield find_task(f"{module.__name__}:{name}", apps)
            except (Refused, Unknown):
                continue
