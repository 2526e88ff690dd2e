"""`pgqueue tasks`: what a worker with an app would know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import typer

from pgqueue.cli.apps import load_modules
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY
from pgqueue.cli.numbers import Estimate
from pgqueue.cli.options import App, Dsn, Include, Json, Queue, Target, TasksOnly, duration_option, listing, new_group
from pgqueue.cli.output import Columns, print_list, written
from pgqueue.cli.spans import brief_seconds
from pgqueue.job import DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY, DEFAULT_QUEUE, DEFAULT_TIMEOUT
from pgqueue.retry import seconds
from pgqueue.store import execute, reports, tallies
from pgqueue.store.looking import LONGER, look
from pgqueue.store.tallies import Timing
from pgqueue.tasks import Modules, Task, callable_tasks, registered


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
@listing
def list_tasks(
    app: App = [],  # noqa: B006, typer copies it
    include: Include = [],  # noqa: B006, typer copies it
    tasks_only: TasksOnly = False,
    as_json: Json = False,
    dsn: Dsn = None,
) -> None:
    """List what jobs may call under a worker with these modules: tasks, and plain functions of the modules named."""
    modules = Modules(tuple(app), tuple(include), tasks_only)
    load_modules(modules)
    rows = [_row(task, declared=registered(task.target) is not None) for task in callable_tasks(modules)]
    print_list(rows, COLUMNS, as_json=as_json, empty=f"{modules} has no task: put @pgqueue.task on a function.")


TIMING_COLUMNS: Columns[Timing] = {
    "TARGET": lambda row: row.name,
    "ATTEMPTS": lambda row: Estimate(row.n) if row.degraded else row.n,
    "FAILED": lambda row: row.failed or None,
    "WAIT p50/p95/p99": lambda row: _three(row.wait_p50, row.wait_p95, row.wait_p99),
    "RUN p50/p95/p99": lambda row: _three(row.run_p50, row.run_p95, row.run_p99),
}


@group.command()
def timings(
    dsn: Dsn = None,
    since: Annotated[timedelta, duration_option("--since", "As of so long ago.")] = timedelta(days=1),
    queue: Queue = None,
    target: Target = None,
    as_json: Json = False,
) -> None:
    """Show how long the attempts of each task waited and ran, in the last day unless said; the slowest first.

    Counted by workers once a minute; quantiles are off by a few percent as a rule.
    """
    with connected(dsn) as conn:
        now = execute(conn, reports.now())
        found = look(
            conn, lambda conn: execute(conn, tallies.timings(now - since, "target", queue=queue, target=target)), LONGER
        )
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    found.sort(key=lambda row: (-(row.run_p95 or 0), row.name))
    print_list(
        found, TIMING_COLUMNS, as_json=as_json, empty="No attempt has ended in this time, or none was counted yet."
    )
    if found and not as_json and found[0].since > now - since:
        say(f"there is more than was looked at: these are the attempts since {written(found[0].since)}")


def _three(*seconds: float | None) -> str | None:
    return None if None in seconds else "/".join(str(brief_seconds(each)) for each in seconds)


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
