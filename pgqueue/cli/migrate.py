"""`pgqueue migrate`: bring the schema up to date, print or tell what that would do, and go a step back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgqueue.cli.database import served
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import print_json
from pgqueue.cli.rights import say_given
from pgqueue.errors import SchemaError, UsageError
from pgqueue.store.diagnosis import diagnosed

if TYPE_CHECKING:
    from pgqueue.migrate import SchemaStatus
    from pgqueue.store.partitions import Copying

# Between two lines that say how far a copy is.
SECONDS = 5.0


def migrate(
    dsn: Dsn = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the whole script for psql; touches no database.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Tell how the schema stands; exit 78 if it is old.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Tell what it would lock and for how long; exit 1 if somebody waits too long."),
    ] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Drop what no code from the release before this one on needs.")
    ] = False,
    functions_of: Annotated[
        Path | None,
        typer.Option("--functions-of", metavar="PACKAGE", help="Make the functions of an earlier release: its wheel."),
    ] = None,
    partition_history: Annotated[
        bool, typer.Option("--partition-history", help="Then give the history partitions, beside the work.")
    ] = False,
    roles: Annotated[
        bool, typer.Option("--roles", help="Then make the roles of pgqueue, each with its rights.")
    ] = False,
    prefix: Annotated[
        str | None, typer.Option("--prefix", metavar="WORD", help="What their names begin with; else pgqueue.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Create the schema pgqueue, or bring it up to date. Safe to run at any time, by several at once."""
    # Alembic and SQLAlchemy take longer to import than any other command takes to run.
    from pgqueue import migrate as migrations

    if sql + status + check + contract + partition_history + (functions_of is not None) > 1:
        raise UsageError("give one of --sql, --status, --check, --contract, --functions-of and --partition-history")
    if prefix is not None and not roles:
        raise UsageError("--prefix goes with --roles")
    if roles and sql + status + check + contract + (functions_of is not None):
        raise UsageError("--roles comes with a migration: give it alone, or with --partition-history")
    if sql:
        typer.echo(migrations.sql(), nl=False)
        return
    if check:
        _check(dsn, as_json=as_json)
        return
    if contract:
        _contract(dsn, as_json=as_json)
        return
    if functions_of is not None:
        _make_functions_of(dsn, functions_of, as_json=as_json)
        return
    with served(dsn) as address, diagnosed():
        changed = False if status else migrations.migrate(address)
        found = migrations.status(address)
        if partition_history:
            _partition(address, found)
        if roles:
            _make_roles(address, found, prefix)
    if as_json:
        print_json(found)
    elif not status:
        typer.echo(f"The schema is at revision {found.revision}{'' if changed else ' already; nothing had to change'}.")
    else:
        typer.echo(_described(found))
    if found.state in ("missing", "behind") or not (found.functions or found.state == "newer"):
        raise typer.Exit(Exit.SCHEMA)


def _make_roles(address: str, found: SchemaStatus, prefix: str | None) -> None:
    from pgqueue.granting import make_roles

    if found.state != "current":
        raise SchemaError("the schema is newer than this pgqueue: make roles with the newer one")
    say_given(make_roles(address, prefix))


def _check(dsn: str | None, *, as_json: bool) -> None:
    from pgqueue.cli.migration_plan import print_plan
    from pgqueue.migration_plan import plan

    with served(dsn) as address, diagnosed():
        found = plan(address)
    if as_json:
        print_json(found)
    else:
        print_plan(found)
    if found.too_long:
        raise typer.Exit(Exit.FAILED)


def _contract(dsn: str | None, *, as_json: bool) -> None:
    from pgqueue.contracting import contract

    with served(dsn) as address, diagnosed():
        dropped = contract(address)
    if as_json:
        print_json(dropped)
        return
    for statement in dropped:
        typer.echo(statement)
    if not dropped:
        typer.echo("There is nothing that no code needs any more.")


def _make_functions_of(dsn: str | None, package: Path, *, as_json: bool) -> None:
    from pgqueue.older_functions import apply_functions_of

    with served(dsn) as address, diagnosed():
        release = apply_functions_of(address, package)
    if as_json:
        print_json({"functions": release})
    else:
        typer.echo(
            f"The functions are those of {release}; workers of later releases stay down until `pgqueue migrate`."
        )


def _partition(address: str, found: SchemaStatus) -> None:
    from pgqueue.partitioning import partition_history

    if found.state != "current":
        raise SchemaError("the schema is newer than this pgqueue: partition the history with the newer one")
    if partition_history(address, _Told()):
        say("attempts are partitioned by day, dead_jobs by month; workers make and drop partitions from now on")
    else:
        say("the history is partitioned already; nothing had to change")


class _Told:
    """Says how far a copy is: with its first batch, then every few seconds."""

    def __init__(self) -> None:
        self._table = ""
        self._next = 0.0

    def __call__(self, copying: Copying) -> None:
        now = time.monotonic()
        if copying.table == self._table and now < self._next:
            return
        self._table, self._next = copying.table, now + SECONDS
        say(f"{copying.table}: {copying.copied:,} of about {max(copying.rows, copying.copied):,} rows copied")


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
