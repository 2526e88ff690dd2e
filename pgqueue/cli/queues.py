"""`pgqueue queues`: how full they are; stop and resume claims from one, and whether workers are told of its jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from pgqueue.cli.database import connected
from pgqueue.cli.errors import say
from pgqueue.cli.options import Dsn, Json, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.job import JobOptions
from pgqueue.store import execute, queues
from pgqueue.store.queues import QueueStats
from pgqueue.store.reports import PATIENCE, answer_within

COLUMNS: Columns[QueueStats] = {
    "QUEUE": lambda row: row.queue,
    "READY": lambda row: row.ready,
    "SCHEDULED": lambda row: row.scheduled,
    "RUNNING": lambda row: row.running,
    "RETRYING": lambda row: row.retrying,
    "DEAD": lambda row: row.dead,
    "OLDEST READY": lambda row: row.oldest_ready_age,
    "": lambda row: "paused" if row.paused else None,
}
Names = Annotated[list[str], typer.Argument(metavar="QUEUE...", help="The queues' names.")]


def _queues(dsn: Dsn = None) -> None:
    """Look at queues, pause and resume them, and say whether idle workers are told of their jobs."""


group = new_group(_queues)


@group.command("list")
def list_queues(dsn: Dsn = None, as_json: Json = False) -> None:
    """List the queues with their jobs by state. Counts for 3 seconds at most, then estimates from a sample."""
    with connected(dsn) as conn:
        counted = answer_within(conn, queues.stats(), PATIENCE)
        if counted is None:
            say(f"Counting took longer than {PATIENCE.total_seconds():.0f} s and was stopped; these are estimates.")
            counted = execute(conn, queues.sample())
        print_list(counted, COLUMNS, as_json=as_json, empty="No queue has a job.")


@group.command()
def pause(names: Names, dsn: Dsn = None) -> None:
    """Stop claims from these queues; what runs goes on, and jobs may still be enqueued."""
    _set(dsn, names, paused=True)


@group.command()
def resume(names: Names, dsn: Dsn = None) -> None:
    """Go on with claims from these queues."""
    _set(dsn, names, paused=False)


class Telling(StrEnum):
    """Whether idle workers are told."""

    IDLE = "idle"
    OFF = "off"


@group.command()
def notify(
    how: Annotated[Telling, typer.Argument(metavar="idle|off", help="Tell idle workers, or nobody.")],
    names: Names,
    dsn: Dsn = None,
) -> None:
    """Tell idle workers of jobs in these queues, or let them find out by polling.

    Off is for producers that prepare their transactions (two-phase commit), which a NOTIFY forbids, and for bulk.
    """
    _check(names)
    with connected(dsn) as conn:
        for name in names:
            execute(conn, queues.set_notify(name, how.value))
            typer.echo(
                f"{name}: {'idle workers are told' if how is Telling.IDLE else 'workers find its jobs by polling'}"
            )


def _check(names: list[str]) -> None:
    for name in names:
        JobOptions(queue=name)  # raises OptionError for what no queue can be named


def _set(dsn: str | None, names: list[str], *, paused: bool) -> None:
    _check(names)
    with connected(dsn) as conn:
        waiting = execute(conn, queues.names())
        for name in names:
            execute(conn, queues.set_paused(name, paused=paused))
            typer.echo(f"{name} {'is paused' if paused else 'goes on'}")
            if waiting and name not in waiting:
                say(f"no job waits in {name}; jobs wait in {', '.join(waiting)}")
