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
from pgqueue.store.queues import QueueStats
from pgqueue.store.reports import PATIENCE, Estimates, answer_within
from pgqueue.store.workers import WorkerRow

if TYPE_CHECKING:
    import psycopg

# ANSI: to the upper left corner, and erase what is there.
CLEAR = "\x1b[H\x1b[2J"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is; `queues` is None and `estimates` is said where counting took too long."""

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
    """Show the queues with their jobs by state, and the workers. Counts for 3 seconds at most, then estimates."""
    try:
        with connected(dsn) as conn:
            _print(_snapshot(conn), as_json=as_json, again=False)
            while interval is not None:
                time.sleep(interval)
                _print(_snapshot(conn), as_json=as_json, again=True)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.FINE if interval is not None else Exit.FAILED) from None


def _snapshot(conn: psycopg.Connection[Any]) -> Snapshot:
    counted = answer_within(conn, queues.stats(), PATIENCE)
    listed = answer_within(conn, workers.listing(), PATIENCE) if counted is not None else None
    return Snapshot(
        postgresql=execute(conn, reports.server_version()),
        revision=execute(conn, schema.revision()),
        queues=counted,
        estimates=execute(conn, reports.estimates()) if counted is None else None,
        workers=execute(conn, workers.rows()) if listed is None else listed,
    )


def _print(found: Snapshot, *, as_json: bool, again: bool) -> None:
    if as_json:
        print_json(found)
        return
    if again and sys.stdout.isatty():
        typer.echo(CLEAR, nl=False)
    typer.echo(f"Schema at revision {found.revision}, PostgreSQL {found.postgresql}\n")
    if found.queues is not None:
        print_list(found.queues, queues_command.COLUMNS, as_json=False, empty="No queue has a job.")
    elif found.estimates is not None:
        _print_estimates(found.estimates)
    typer.echo("")
    print_list(found.workers, workers_command.COLUMNS, as_json=False, empty="No worker runs: `pgqueue worker -A ...`.")


def _print_estimates(found: Estimates) -> None:
    say(f"Counting took longer than {PATIENCE.total_seconds():.0f} s and was stopped; these are estimates.")
    for name, rows in asdict(found).items():
        typer.echo(f"{paint(name.replace('_', ' '), 'bold')}: {'unknown' if rows is None else f'about {rows:,}'}")
