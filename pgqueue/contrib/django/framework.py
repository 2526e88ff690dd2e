"""Django's framework for tasks, under one set of names: its own from Django 6 on, else the package django-tasks.

Raises ImportError, which says what to install, where there is neither.
"""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any


def _found() -> str:
    for name in ("django.tasks", "django_tasks"):
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
        else:
            return name
    raise ImportError(
        "pgqueue.contrib.django.Backend is for Django's tasks, which Django has from 6.0 on; under Django 5.2 install"
        " the package django-tasks, or use @pgqueue.task, which needs neither"
    )


def _exception(*names: str) -> type[Exception]:
    """An exception of the framework, by its name there, or its older one."""
    found: type[Exception] = next(getattr(_exceptions, name) for name in names if hasattr(_exceptions, name))
    return found


# The module: "django.tasks" or "django_tasks".
NAME = _found()
_exceptions: Any = import_module(f"{NAME}.exceptions")
_base: Any = import_module(f"{NAME}.base")
signals: Any = import_module(f"{NAME}.signals")
backends: Any = import_module(NAME).task_backends
BaseTaskBackend: Any = import_module(f"{NAME}.backends.base").BaseTaskBackend
Task, TaskResult, TaskContext, TaskError = _base.Task, _base.TaskResult, _base.TaskContext, _base.TaskError
Status: Any = _base.TaskResultStatus
SUCCESSFUL = Status.SUCCESSFUL if hasattr(Status, "SUCCESSFUL") else Status.SUCCEEDED
InvalidTask = _exception("InvalidTask", "InvalidTaskError")
TaskResultDoesNotExist = _exception("TaskResultDoesNotExist", "ResultDoesNotExist")
normalize_json: Any = import_module("django.utils.json" if NAME == "django.tasks" else f"{NAME}.utils").normalize_json


def varied(task: Any, **changes: Any) -> Any:
    """The same task with other values, which are not judged: they are what some job was enqueued with."""
    made = object.__new__(type(task))
    for field in fields(task):
        object.__setattr__(made, field.name, changes.get(field.name, getattr(task, field.name)))
    return made


def moved(result: Any, **changes: Any) -> None:
    """Write an attempt's course down in its TaskResult, as the framework's own backends do."""
    for name, value in changes.items():
        object.__setattr__(result, name, value)
