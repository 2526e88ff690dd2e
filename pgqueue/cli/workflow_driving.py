"""Workflows called off and resumed from the shell, slice by slice, with a word of how far that is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from pgqueue.acting import Actor, workflows
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.telling import tell
from pgqueue.store import execute, reports, workflow_reading
from pgqueue.store.workflows import SLICE

if TYPE_CHECKING:
    import psycopg

# Seconds between two looks at what still runs.
LOOK_EVERY = 0.5
# Seconds of a slice, where a rate is asked for: what it has is soon gone.
OF_RATE = 0.5
ON = "the workers go on with it"


def retry(conn: psycopg.Connection[Any], actor: Actor, workflow_id: UUID, rate: float | None) -> None:
    """Revive what is dead of a workflow, at most so many a second. Raises typer.Exit, WorkflowNotFound."""
    pace, pause = _pace(conn, rate)
    first = workflows.retry(conn, actor, workflow_id, pace)
    _refuse(first)
    more = lambda: workflows.retry_more(conn, workflow_id, pace)  # noqa: E731
    on = ON if pace is None else f"pgqueue workflows retry {workflow_id}"
    moved = _drive(conn, first.moved, more, pause, "revived", on)
    tell(f"{_jobs(moved)} of workflow {workflow_id} {_are(moved)} revived", workflow=workflow_id, revived=moved)


def cancel(conn: psycopg.Connection[Any], actor: Actor, workflow_id: UUID, wait: float | None) -> None:
    """Cancel a workflow, and wait so many seconds for what runs, if any are said.

    Raises typer.Exit, WorkflowNotFound.
    """
    first = workflows.cancel(conn, actor, workflow_id)
    _refuse(first)
    more = lambda: workflows.cancel_more(conn, workflow_id, actor.reason)  # noqa: E731
    moved = _drive(conn, first.moved, more, 0.0, "called off", ON)
    left = _left(conn, workflow_id) if wait is None else _wait(conn, workflow_id, wait)
    tell(
        f"{_jobs(moved)} of workflow {workflow_id} {_are(moved)} called off{_running(left)}",
        workflow=workflow_id,
        called_off=moved,
        left=left,
    )
    if wait is not None and left:
        say_error(f"{_jobs(left)} had not ended after {wait:g} s; `pgqueue workflows show {workflow_id}` tells")
        raise typer.Exit(Exit.FAILED)


def _pace(conn: psycopg.Connection[Any], rate: float | None) -> tuple[workflows.Pace | None, float]:
    """How many jobs a slice, and the seconds between two, for so many a second; without a rate as fast as it goes."""
    if rate is None:
        return None, 0.0
    size = max(1, min(SLICE, round(rate * OF_RATE)))
    return workflows.Pace(size, execute(conn, reports.now())), size / rate


def _drive(conn: psycopg.Connection[Any], moved: int, more: Callable[[], int], pause: float, past: str, on: str) -> int:
    """Slice after slice until one moves nothing; how many jobs all of them have moved."""
    step = moved
    try:
        while step:
            if sys.stderr.isatty():
                typer.echo(f"\r{moved:,} {past}\x1b[K", err=True, nl=False)
            time.sleep(pause)
            step = more()
            moved += step
    except KeyboardInterrupt:
        conn.rollback()
        say(f"stopped: {moved:,} {past}; {on}")
        raise typer.Exit(Exit.FAILED) from None
    finally:
        if sys.stderr.isatty():
            typer.echo("\r\x1b[K", err=True, nl=False)
    return moved


def _refuse(first: workflows.Slice) -> None:
    if not first.done:
        say_error(first.said or "nothing was done")
        raise typer.Exit(Exit.FAILED)


def _wait(conn: psycopg.Connection[Any], workflow_id: UUID, seconds: float) -> int:
    """How many jobs have not ended when none is left, or the time is over."""
    until = time.monotonic() + seconds
    while (left := _left(conn, workflow_id)) and time.monotonic() < until:
        time.sleep(min(LOOK_EVERY, max(0.0, until - time.monotonic())))
    return left


def _left(conn: psycopg.Connection[Any], workflow_id: UUID) -> int:
    row = execute(conn, workflow_reading.get(workflow_id))
    return 0 if row is None else row.left


def _running(left: int) -> str:
    return f"; {left:,} still run{'s' * (left == 1)}, and {_are(left)} told to end" if left else ""


def _jobs(count: int) -> str:
    return f"{count:,} job{'s' * (count != 1)}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
