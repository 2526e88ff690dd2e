"""`pgqueue operations`: bulk actions, how far they are, and their brakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue import operations
from pgqueue.acting import operations as acting
from pgqueue.cli import bulk
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import BeforeNumber, Dsn, Json, Most, listing, new_group
from pgqueue.cli.output import Columns, print_json, print_list, written
from pgqueue.cli.telling import tell, telling
from pgqueue.printable import in_one_line
from pgqueue.store import execute
from pgqueue.store import operations as store
from pgqueue.store.operations import Operation

if TYPE_CHECKING:
    import psycopg

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The operation's number.")]

COLUMNS: Columns[Operation] = {
    "NUMBER": lambda row: row.id,
    "BEGUN": lambda row: row.made_at,
    "STATE": lambda row: row.state,
    "KIND": lambda row: row.kind,
    "DONE": lambda row: row.done,
    "SKIPPED": lambda row: row.skipped,
    "FAILED": lambda row: row.failed,
    "WHO": lambda row: row.who,
    "FILTER": lambda row: row.filter,
}


def _operations(dsn: Dsn = None) -> None:
    """Look at bulk actions, stop them, and let them go on."""


group = new_group(_operations)


@group.command("list")
@listing
def list_operations(
    dsn: Dsn = None,
    limit: Most = 50,
    before: BeforeNumber = None,
    as_json: Json = False,
) -> None:
    """List bulk actions, the newest first."""
    with connected(dsn) as conn:
        rows = execute(conn, store.newest(before, limit))
    print_list(rows, COLUMNS, as_json=as_json, empty="There was no bulk action.")


@group.command()
def show(number: Number, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one bulk action: what, by whom, why, and how far it is."""
    with connected(dsn) as conn:
        row = _found(conn, number)
    if as_json:
        print_json(row)
        return
    facts = {
        "operation": row.id,
        "state": row.state if row.why is None else f"{row.state}: {row.why}",
        "kind": row.kind if row.priority is None else f"{row.kind} {row.priority}",
        "filter": row.filter,
        "who": f"{row.who}, by {row.via}",
        "reason": row.reason,
        "begun": row.made_at,
        "last batch": row.changed_at,
        "done": f"{row.done:,}",
        "skipped": f"{row.skipped:,}",
        "failed": f"{row.failed:,}",
        "looked at": f"{row.looked:,}",
        "rate": None if row.rate is None else f"{row.rate:g}/s",
        "driven by": "the workers" if row.detached else "the command that began it",
        "trial": None if row.trial is None else f"of {row.trial}, {len(row.trial_ids or ())} begun",
    }
    for name, value in facts.items():
        if value is not None:
            typer.echo(f"{name:<12}{in_one_line(written(value))}")


@group.command()
@telling
def stop(number: Number, reason: Reason = None, dsn: Dsn = None) -> None:
    """Stop a bulk action after the batch that is under way."""
    with connected(dsn) as conn:
        row = _found(conn, number)
        done = acting.stop(conn, actor(reason), row)
        row = _found(conn, number)
    if not done:
        say_error(f"operation {number} is {row.state} already")
        raise typer.Exit(Exit.FAILED)
    tell(f"operation {number} is stopped: {row.done:,} {operations.PAST[row.kind]}", operation=number, done=row.done)


@group.command()
@telling
def resume(number: Number, detach: bulk.Detach = False, reason: Reason = None, dsn: Dsn = None) -> None:
    """Let a stopped bulk action go on where it stood, or one whose command was killed; a trial is not repeated."""
    with connected(dsn) as conn:
        row = _found(conn, number)
        if not acting.resume(conn, actor(reason), row, detached=detach):
            say_error(f"operation {number} is done")
            raise typer.Exit(Exit.FAILED)
        if detach:
            say(f"the workers do it; `pgqueue operations show {number}` says how far they are")
            return
        bulk.drive(conn, number)


def _found(conn: psycopg.Connection[Any], number: int) -> Operation:
    row = operations.get(conn, number)
    if row is None:
        say_error(f"there is no operation {number}; `pgqueue operations list` shows them")
        raise typer.Exit(Exit.NOT_FOUND)
    return row
