"""How a job's target finds its task, and what may run: a row names code, so the worker decides what it calls."""

from __future__ import annotations

import difflib
import functools
import importlib
import os
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pgqueue.errors import AppError, TargetError
from pgqueue.tasks.registry import registered, registered_tasks
from pgqueue.tasks.target import fault_in
from pgqueue.tasks.task import Task

_OURS = str(Path(__file__).parents[1]) + os.sep
# The modules of pgqueue's own tasks, which every worker may run whatever its apps are.
OWN_APPS = ("pgqueue.alerts", "pgqueue.durable.asking", "pgqueue.compat.rq.own_tasks")
# What this process was told to run; and what is to be done once that is imported.
_imported_apps: dict[str, None] = {}
_when_imported: list[Callable[[], object]] = []


class Refused(Exception):
    """This target must never be called, by any worker."""


class Unknown(Exception):
    """This worker has no such task; another may."""


def find_task(target: str, apps: Sequence[str]) -> Task[..., Any]:
    """The task that a job's target names: a @task, or a plain function defined in one of the modules `apps` or below.

    Imports submodules of `apps` if the target names one, and nothing else. Raises Refused or Unknown.
    """
    if task := registered(target):
        return task
    if fault := fault_in(target):
        raise Refused(f"target {fault}")
    module, _, name = target.partition(":")
    if module in OWN_APPS:
        return _own(module, target)
    if not _is_inside(module, apps):
        if module.partition(".")[0] in sys.stdlib_module_names:
            raise Refused(f"{target} is part of Python, and no task; wrap it in a task of yours")
        raise Unknown(_not_here(target, apps, "its module is not among them"))
    members = vars(_imported(module, target, apps))
    if task := registered(target):
        return task
    if name not in members:
        raise Unknown(_not_here(target, apps, f"{module} has no such function"))
    return _allowed(members[name], target, apps)


def _own(module: str, target: str) -> Task[..., Any]:
    importlib.import_module(module)
    if task := registered(target):
        return task
    raise Unknown(f"no task {target} here: this pgqueue has none of that name")


def when_imported(call: Callable[[], object]) -> None:
    """Have this called once the apps of a worker are imported, in each of its processes: it may import more of them."""
    _when_imported.append(call)


def runnable(target: str) -> Task[..., Any]:
    """The task of this name that some worker of this process may run. Raises Refused or Unknown."""
    return find_task(target, tuple(_imported_apps))


def import_apps(apps: Sequence[str]) -> None:
    """Import the modules that the worker was told to run. Raises AppError that says which one failed, and where."""
    for app in apps:
        if app.endswith(".py") or not all(part.isidentifier() for part in app.split(".")):
            raise AppError(f"an app is a module, named as in an import; got {app!r}{_module_meant_by(app)}")
        try:
            importlib.import_module(app)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise AppError(_import_failure(app, error)) from error
        _imported_apps[app] = None
    while _when_imported:
        call = _when_imported.pop(0)
        try:
            call()
        except Exception as error:
            raise AppError(f"cannot use what the apps include: {_cause_of(error)}{_place_of(error)}") from error


def _import_failure(app: str, error: BaseException) -> str:
    cause = _cause_of(error)
    if isinstance(error, ModuleNotFoundError) and error.name and f"{app}.".startswith(f"{error.name}."):
        return (
            f"cannot import {app}: {cause}; start the worker in the folder that contains {error.name}, or put that"
            " folder on PYTHONPATH"
        )
    return f"cannot import {app}: {cause}{_place_of(error)}; `python -c 'import {app}'` shows the whole traceback"


def _cause_of(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]


def _place_of(error: BaseException) -> str:
    """The line that has to be mended: the innermost one that is neither Python's importing nor pgqueue's check."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(("<frozen", _OURS, importlib.__file__))]
    return f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""


def _module_meant_by(app: str) -> str:
    module = app.partition(":")[0].removesuffix(".py").strip("./").replace("/", ".")
    return f"; did you mean {module}?" if all(part.isidentifier() for part in module.split(".")) else ""


def _allowed(member: object, target: str, apps: Sequence[str]) -> Task[..., Any]:
    if isinstance(member, Task):
        return member
    try:
        task: Task[..., Any] = Task(member)  # type: ignore[arg-type]  # whatever it is, the constructor checks it
    except TargetError as error:
        raise Refused(f"{target} is not callable by jobs: {error}") from None
    if not _is_inside(task.function.__module__, apps):
        raise Refused(f"{target} is defined in {task.function.__module__}, outside of {', '.join(apps)}")
    return task


def _imported(module: str, target: str, apps: Sequence[str]) -> types.ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise Unknown(_not_here(target, apps, f"there is no module {error.name}")) from None
        raise Unknown(_not_here(target, apps, f"importing {module} raised {error!r}")) from error
    except (Exception, SystemExit) as error:
        raise Unknown(_not_here(target, apps, f"importing {module} raised {error!r:.500}")) from error


def _is_inside(module: str, apps: Sequence[str]) -> bool:
    return any(module == app or module.startswith(f"{app}.") for app in apps)


def _not_here(target: str, apps: Sequence[str], why: str) -> str:
    """Why a target is unknown, what was imported, and what may have been meant."""
    nearest = _nearest(target, tuple(apps))
    meant = f"; did you mean {nearest}?" if nearest else ""
    return f"no task {target} here: {why}; imported: {', '.join(apps) or 'no module (--app names them)'}{meant}"


# Remembered, because a thousand jobs of one unknown target would cost a second of comparing.
@functools.lru_cache(maxsize=256)
def _nearest(target: str, apps: tuple[str, ...]) -> str | None:
    known = {*(task.target for task in registered_tasks()), *(name for app in apps for name in _plain_functions(app))}
    return next(iter(difflib.get_close_matches(target, known, n=1)), None)


def _plain_functions(app: str) -> list[str]:
    module = sys.modules.get(app)
    members = vars(module) if module else {}
    return [
        f"{app}:{name}"
        for name, member in members.items()
        if isinstance(member, types.FunctionType) and member.__module__ == app
    ]
