"""Imports the modules that a worker was told of, at its start and never later; and says which line has to be mended."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pgqueue.errors import AppError
from pgqueue.tasks.lookup import find_task
from pgqueue.tasks.modules import Modules
from pgqueue.tasks.task import Task

_OURS = str(Path(__file__).parents[1]) + os.sep
# The module of a package that is imported with it.
TASKS = "tasks"
# What this process was told to run; and what is to be done once that is imported.
_offering: dict[str, None] = {}
_when_imported: list[Callable[[], object]] = []


def when_imported(call: Callable[[], object]) -> None:
    """Have this called once the modules of a worker are imported, in each of its processes: it may import more."""
    _when_imported.append(call)


def runnable(target: str) -> Task[..., Any]:
    """The task of this name that some worker of this process may run. Raises Refused or Unknown."""
    return find_task(target, Modules(include=tuple(_offering)))


def import_modules(modules: Modules) -> None:
    """Import the modules that the worker was told of, and the module `tasks` of those that --app names.

    Raises AppError that says which one failed, and where.
    """
    for name in modules.named:
        if name.endswith(".py") or not all(part.isidentifier() for part in name.split(".")):
            raise AppError(f"an app is a module, named as in an import; got {name!r}{_module_meant_by(name)}")
        _import(name)
        if name in modules.app and _has_tasks(name):
            _import(f"{name}.{TASKS}")
    _offering.update(dict.fromkeys(modules.offering))
    while _when_imported:
        call = _when_imported.pop(0)
        try:
            call()
        except Exception as error:
            raise AppError(f"cannot use what the apps include: {_cause_of(error)}{_place_of(error)}") from error


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise AppError(_import_failure(name, error)) from error


def _has_tasks(package: str) -> bool:
    name = f"{package}.{TASKS}"
    if name in sys.modules or "__path__" not in vars(sys.modules[package]):
        return False
    return importlib.util.find_spec(name) is not None


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
