"""`pgqueue status`: the queues, how full they are, and who works on them."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.cli import queues as queues_command
from pgqueue.cli import workers as workers_command
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import paint, print_json, print_list
from pgqueue.cli.values import seconds
from pgqueue.store import execute, queues, reports, schema, workers
from pgqueue.store.looking import look
from pgqueue.store.queues import QueueStats
from pgqueue.store.reports import Estimates
from pgqueue.store.workers import WorkerRow

if TYPE_CHECKING:
    import psycopg

# ANSI: to the upper left corner, and erase what is there.
CLEAR = "\x1b[H\x1b[2J"
# Lines that fit on a screen.
FULLEST = 40


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is; `queues` is None and `estimates` is said where the jobs could not be looked at in time."""

    postgresql: str
    revision: str | None
    queues: list[QueueStats] | None
    estimates: Estimates | None
    workers: list[WorkerRow]


def status(
    dsn: Dsn = None,
    as_json: Json = False,
    interval: Annotated[
        float | None,
        typer.Option("--interval", "-i", metavar="SECS", parser=seconds, help="Look again every so often."),
    ] = None,
) -> None:
    """Show the queues with their jobs by state, and the workers. Counts some 20,000 jobs, then estimates."""
    try:
        with connected(dsn) as conn:
            _print(_snapshot(conn), as_json=as_json, again=False)
            while interval is not None:
                time.sleep(interval)
                _print(_snapshot(conn), as_json=as_json, again=True)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.FINE if interval is not None else Exit.FAILED) from None


def _snapshot(conn: psycopg.Connection[Any]) -> Snapshot:
    found = look(conn, lambda conn: execute(conn, queues.depths()), queues_command.COUNTING)
    there = execute(conn, workers.rows())
    return Snapshot(
        postgresql=execute(conn, reports.server_version()),
        revision=execute(conn, schema.revision()),
        queues=None if found is None else found.queues,
        estimates=execute(conn, reports.estimates()) if found is None else None,
        workers=there if found is None else workers.holding(there, found.held, partial=found.partial),
    )


def _print(found: Snapshot, *, as_json: bool, again: bool) -> None:
    if as_json:
        print_json(found)
        return
    if again and sys.stdout.isatty():
        typer.echo(CLEAR, nl=False)
    typer.echo(f"Schema at revision {found.revision}, PostgreSQL {found.postgresql}\n")
    if found.queues is not None:
        print_list(_fullest(found.queues), queues_command.COLUMNS, as_json=False, empty="No queue has a job.")
        if len(found.queues) > FULLEST:
            typer.echo(f"The fullest {FULLEST} of {len(found.queues):,} queues; all: `pgqueue queues list`.")
    elif found.estimates is not None:
        _print_estimates(found.estimates)
    typer.echo("")
    print_list(found.workers, workers_command.COLUMNS, as_json=False, empty="No worker runs: `pgqueue worker -A ...`.")


def _fullest(found: list[QueueStats]) -> list[QueueStats]:
    """The queues by name; where there are too many to look at, those with most to do."""
    if len(found) <= FULLEST:
        return found
    return sorted(found, key=lambda row: (row.ready, row.running, row.dead), reverse=True)[:FULLEST]


def _print_estimates(found: Estimates) -> None:
    say("The jobs could not be looked at in time: the database is busy, or a table is locked; these are estimates.")
    for name, rows in asdict(found).items():
        typer.echo(f"{paint(name.replace('_', ' '), 'bold')}: {'unknown' if rows is None else f'about {rows:,}'}")
