"""`pgqueue tasks`: what a worker with an app would know."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pgqueue.cli.apps import load_apps
from pgqueue.cli.errors import say
from pgqueue.cli.options import App, Dsn, Json, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.job import DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY, DEFAULT_QUEUE, DEFAULT_TIMEOUT
from pgqueue.retry import seconds
from pgqueue.tasks import Task, callable_tasks, registered


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task as a table shows it; `declared` is whether it is a @task."""

    target: str
    declared: bool
    queue: str
    priority: int
    max_attempts: int
    timeout: float | None
    transactional: bool
    is_async: bool


COLUMNS: Columns[TaskRow] = {
    "TARGET": lambda row: row.target,
    "QUEUE": lambda row: row.queue,
    "PRIORITY": lambda row: row.priority,
    "ATTEMPTS": lambda row: row.max_attempts,
    "TIMEOUT": lambda row: "none" if row.timeout is None else f"{row.timeout:g} s",
    "": lambda row: ", ".join(_marks(row)),
}


def _tasks(dsn: Dsn = None) -> None:
    """Look at the tasks of an app."""


group = new_group(_tasks)


@group.command("list")
def list_tasks(app: App = [], as_json: Json = False, dsn: Dsn = None) -> None:  # noqa: B006, typer copies it
    """List what jobs may call under a worker with this app: its tasks, and the plain functions of its modules.

    Modules below the app are imported, too, as by a job that names one.
    """
    load_apps(app)
    with contextlib.redirect_stdout(sys.stderr):
        tasks, faults = callable_tasks(app)
    for fault in faults:
        say(fault)
    rows = [_row(task, declared=registered(task.target) is not None) for task in tasks]
    print_list(rows, COLUMNS, as_json=as_json, empty=f"{', '.join(app)} has no task: put @pgqueue.task on a function.")


def _row(task: Task[..., Any], *, declared: bool) -> TaskRow:
    options = task.options
    timeout = DEFAULT_TIMEOUT if options.timeout is None else seconds(options.timeout)
    return TaskRow(
        target=task.target,
        declared=declared,
        queue=options.queue or DEFAULT_QUEUE,
        priority=DEFAULT_PRIORITY if options.priority is None else options.priority,
        max_attempts=options.max_attempts or DEFAULT_MAX_ATTEMPTS,
        timeout=None if timeout == float("inf") else timeout,
        transactional=task.transactional,
        is_async=task.is_async,
    )


def _marks(row: TaskRow) -> Iterator[str]:
    if not row.declared:
        yield "plain function"
    if row.transactional:
        yield "transactional"
    if row.is_async:
        yield "async"
