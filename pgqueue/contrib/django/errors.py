"""Errors as the framework has them: where their class is, and their traceback."""

from __future__ import annotations

import builtins
from typing import Any

from pgqueue.contrib.django import framework
from pgqueue.errors import JobFailed
from pgqueue.outcome import ErrorReport
from pgqueue.record import Attempt, Job

# What no task raised: a worker that vanished, a child that was killed, a job that waited for too long.
_OTHER = f"{JobFailed.__module__}.{JobFailed.__qualname__}"


def as_task_error(error: BaseException) -> Any:
    """An exception as a TaskError."""
    report = ErrorReport.of(error)
    return _made(report.type, report.traceback or report.message)


def errors_of(job: Job, attempts: list[Attempt]) -> list[Any]:
    """What the attempts of a job raised, oldest first; and why it ended where no attempt says that."""
    found = [
        _made(each.error_type, each.traceback or f"{each.error_type}: {each.error}")
        for each in attempts
        if each.error_type is not None
    ]
    if not found and job.reason is not None:
        return [_made(None, job.reason)]
    return found


def _made(type_name: str | None, told: str) -> Any:
    return framework.TaskError(exception_class_path=_path(type_name), traceback=told)


def _path(type_name: str | None) -> str:
    """Where import_string() finds the class."""
    if type_name is None:
        return _OTHER
    if "." not in type_name:
        kind = getattr(builtins, type_name, None)
        return f"builtins.{type_name}" if isinstance(kind, type) else _OTHER
    # The words that pgqueue has for what happened to a job are no classes.
    return _OTHER if type_name.startswith("pgqueue.") and type_name.count(".") == 1 else type_name
