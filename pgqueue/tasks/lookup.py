"""How a job's target finds its task, and what may run: a row names code, so the worker decides what it calls.

Nothing is imported because a row says so, and no attribute of anything is asked for but by a module's own dictionary.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import sys
from typing import Any

from pgqueue.errors import TargetError
from pgqueue.tasks.modules import Modules
from pgqueue.tasks.offered import check_offered, members_of, offered_by
from pgqueue.tasks.registry import registered, registered_tasks
from pgqueue.tasks.target import fault_in
from pgqueue.tasks.task import Task

# The modules of pgqueue's own tasks, which every worker may run whatever its apps are: imported when a job needs one.
OWN_APPS = ("pgqueue.alerts", "pgqueue.durable.asking", "pgqueue.compat.rq.own_tasks")


class Refused(Exception):
    """This target must never be called, by any worker that was told what this one was."""


class Unknown(Exception):
    """This worker has no such task; another may."""


def find_task(target: str, modules: Modules) -> Task[..., Any]:
    """The task that a job's target names: a @task, or a public function that one of the named modules defines itself.

    Imports nothing but pgqueue's own tasks. Raises Refused or Unknown.
    """
    if task := registered(target):
        return task
    if fault := fault_in(target):
        raise Refused(f"target {fault}")
    module, _, name = target.partition(":")
    if module in OWN_APPS:
        return _own(module, target)
    if module in modules.named:
        return _member(module, name, target, modules)
    if module.partition(".")[0] in sys.stdlib_module_names:
        raise Refused(f"{target} is part of Python, and no task; wrap it in a task of yours")
    raise Unknown(_not_here(target, modules, _who_would(module, name, modules)))


def _own(module: str, target: str) -> Task[..., Any]:
    importlib.import_module(module)
    if task := registered(target):
        return task
    raise Unknown(f"no task {target} here: this pgqueue has none of that name")


def _member(module: str, name: str, target: str, modules: Modules) -> Task[..., Any]:
    members = members_of(module)
    if name not in members:
        raise Unknown(_not_here(target, modules, f"{module} has no such function"))
    member = members[name]
    # Not isinstance(), which asks the object itself.
    if issubclass(type(member), Task):
        # A task under one more name, or one that was made of another.
        found: Task[..., Any] = member
        return found
    try:
        check_offered(module, name)
        if modules.tasks_only:
            raise TargetError("it is no @task, and this worker runs @tasks only (--tasks-only)")
        return Task(member)
    except TargetError as error:
        raise Refused(f"{target} is not callable by jobs: {error}; make it a @task if jobs should call it") from None


def _who_would(module: str, name: str, modules: Modules) -> str:
    """Why a module that was not named offers nothing, and what would let it."""
    if name in members_of(module):
        if modules.tasks_only:
            return "it is no @task, and this worker runs @tasks only (--tasks-only)"
        return (
            f"it is no @task, and {module} was not named; -A {module} or --include {module} offers its functions, too"
        )
    return f"{module} was not named, and a job imports nothing; -A {module} or --include {module} does"


def _not_here(target: str, modules: Modules, why: str) -> str:
    """Why a target is unknown, what was imported, and what may have been meant."""
    nearest = _nearest(target, modules)
    meant = f"; did you mean {nearest}?" if nearest else ""
    return f"no task {target} here: {why}; imported: {modules or 'no module (-A names them)'}{meant}"


# Remembered, because a thousand jobs of one unknown target would cost a second of comparing.
@functools.lru_cache(maxsize=256)
def _nearest(target: str, modules: Modules) -> str | None:
    known = {
        *(task.target for task in registered_tasks()),
        *(name for module in modules.offering for name in offered_by(module)),
    }
    return next(iter(difflib.get_close_matches(target, known, n=1)), None)
