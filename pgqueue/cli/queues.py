"""`pgqueue queues`: how full they are; stop and resume claims from one."""

from __future__ import annotations

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
    """Look at queues, pause and resume them."""


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


def _set(dsn: str | None, names: list[str], *, paused: bool) -> None:
    for name in names:
        JobOptions(queue=name)  # raises OptionError for what no queue can be named
    with connected(dsn) as conn:
        waiting = execute(conn, queues.names())
        for name in names:
            execute(conn, queues.set_paused(name, paused=paused))
            typer.echo(f"{name} {'is paused' if paused else 'goes on'}")
            if waiting and name not in waiting:
                say(f"no job waits in {name}; jobs wait in {', '.join(waiting)}")
