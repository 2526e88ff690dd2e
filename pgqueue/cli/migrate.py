"""`pgqueue migrate`: bring the schema up to date, print what that would run, or tell how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pgqueue.cli.database import served
from pgqueue.cli.errors import Exit
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import print_json
from pgqueue.errors import UsageError
from pgqueue.store.diagnosis import diagnosed

if TYPE_CHECKING:
    from pgqueue.migrate import SchemaStatus


def migrate(
    dsn: Dsn = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the whole script for psql; touches no database.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Tell how the schema stands; exit 78 if it is old.")] = False,
    as_json: Json = False,
) -> None:
    """Create the schema pgqueue, or bring it up to date. Safe to run at any time, by several at once."""
    # Alembic and SQLAlchemy take longer to import than any other command takes to run.
    from pgqueue import migrate as migrations

    if sql and status:
        raise UsageError("give --sql or --status, not both")
    if sql:
        typer.echo(migrations.sql(), nl=False)
        return
    with served(dsn) as address, diagnosed():
        changed = False if status else migrations.migrate(address)
        found = migrations.status(address)
    if as_json:
        print_json(found)
    elif not status:
        typer.echo(f"The schema is at revision {found.revision}{'' if changed else ' already; nothing had to change'}.")
    else:
        typer.echo(_described(found))
    if found.state in ("missing", "behind") or not (found.functions or found.state == "newer"):
        raise typer.Exit(Exit.SCHEMA)


def _described(found: SchemaStatus) -> str:
    match found.state:
        case "missing":
            return f"There is no schema pgqueue; `pgqueue migrate` creates it at revision {found.newest}."
        case "behind":
            return f"The schema is at revision {found.revision}, the newest is {found.newest}; run `pgqueue migrate`."
        case "newer":
            return f"The schema is at revision {found.revision}, newer than this pgqueue, which knows {found.newest}."
        case _ if not found.functions:
            return f"The schema is at revision {found.revision}, its functions are older; run `pgqueue migrate`."
        case _:
            return f"The schema is at revision {found.revision}, the newest."
