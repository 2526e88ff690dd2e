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
from pgqueue.store import execute, queues, reports, schema, unknown, workers
from pgqueue.store.looking import LONGER, look
from pgqueue.store.queues import QueueStats
from pgqueue.store.reports import Estimates
from pgqueue.store.workers import Held, WorkerRow

if TYPE_CHECKING:
    import psycopg

# ANSI: to the upper left corner, and erase what is there.
CLEAR = "\x1b[H\x1b[2J"
# Lines that fit on a screen.
FULLEST = 40
MOST_UNKNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is; `queues` is None and `estimates` is said where the jobs could not be looked at in time.

    `all_queues` is whether these are all the queues, and not only the fullest; `unknown` is how many jobs wait for a
    worker that knows their target, counted up to MOST_UNKNOWN, or None as well.
    """

    postgresql: str
    revision: str | None
    queues: list[QueueStats] | None
    all_queues: bool
    estimates: Estimates | None
    workers: list[WorkerRow]
    unknown: int | None


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
    rows, held = look(conn, _queues, LONGER) or (None, None)
    return Snapshot(
        postgresql=execute(conn, reports.server_version()),
        revision=execute(conn, schema.revision()),
        queues=rows,
        all_queues=held is not None,
        estimates=execute(conn, reports.estimates()) if rows is None else None,
        workers=workers_command.listed(conn, held) if rows is not None else execute(conn, workers.rows()),
        unknown=look(conn, lambda conn: execute(conn, unknown.count_parked(MOST_UNKNOWN)), LONGER),
    )


def _queues(conn: psycopg.Connection[Any]) -> tuple[list[QueueStats], Held | None]:
    """All queues, and what workers hold of them; or the fullest alone, where there are too many to look at."""
    if len(execute(conn, queues.behind("", FULLEST + 1))) <= FULLEST:
        depths = execute(conn, queues.depths())
        return depths.queues, (depths.held, depths.partial)
    found = execute(conn, queues.depths(execute(conn, queues.fullest(FULLEST)))).queues
    return sorted(found, key=lambda row: (row.ready, row.running, row.dead), reverse=True), None


def _print(found: Snapshot, *, as_json: bool, again: bool) -> None:
    if as_json:
        print_json(found)
        return
    if again and sys.stdout.isatty():
        typer.echo(CLEAR, nl=False)
    typer.echo(f"Schema at revision {found.revision}, PostgreSQL {found.postgresql}\n")
    if found.queues is not None:
        print_list(found.queues, queues_command.COLUMNS, as_json=False, empty="No queue has a job.")
        if not found.all_queues:
            typer.echo("These are the fullest; for all: `pgqueue queues list`.")
    elif found.estimates is not None:
        _print_estimates(found.estimates)
    if found.unknown:
        many = f"{found.unknown:,}" if found.unknown < MOST_UNKNOWN else f"{MOST_UNKNOWN:,} or more"
        typer.echo(f"{many} of the scheduled ones wait for a worker that knows their task; `pgqueue jobs show` tells.")
    typer.echo("")
    print_list(found.workers, workers_command.COLUMNS, as_json=False, empty="No worker runs: `pgqueue worker -A ...`.")


def _print_estimates(found: Estimates) -> None:
    say("The jobs could not be looked at in time: the database is busy, or a table is locked; these are estimates.")
    for name, rows in asdict(found).items():
        typer.echo(f"{paint(name.replace('_', ' '), 'bold')}: {'unknown' if rows is None else f'about {rows:,}'}")
