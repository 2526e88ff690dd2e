"""`pgqueue db`: the embedded PostgreSQL, for development and tests."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import typer

from pgqueue import embedded
from pgqueue.cli.errors import Exit, say_error
from pgqueue.cli.options import Dsn, Json, new_group
from pgqueue.cli.output import print_json
from pgqueue.cli.telling import tell, telling
from pgqueue.errors import UsageError


def _db(dsn: Dsn = None) -> None:
    """Start and stop the embedded PostgreSQL.

    A real one, for development; `--dsn embedded:./path` names its folder.
    """


group = new_group(_db)


@group.command()
@telling
def start(dsn: Dsn = None) -> None:
    """Start it, and keep it running until `pgqueue db stop`."""
    found = embedded.start(_folder(dsn))
    tell(f"PostgreSQL runs in {found.folder} (pid {found.pid})", folder=str(found.folder), pid=found.pid, dsn=found.dsn)


@group.command()
@telling
def stop(dsn: Dsn = None) -> None:
    """Stop it now, whoever uses it."""
    folder = _folder(dsn)
    embedded.stop(folder)
    tell("PostgreSQL is stopped", folder=None if folder is None else str(folder))


@group.command()
def status(dsn: Dsn = None, as_json: Json = False) -> None:
    """Tell whether it runs, and where."""
    found = embedded.status(_folder(dsn))
    if as_json:
        print_json({"folder": str(found.folder), "pid": found.pid, "dsn": found.dsn, "kept": found.kept})
    elif found.running:
        until = "until `pgqueue db stop`" if found.kept else "while somebody uses it"
        typer.echo(f"PostgreSQL runs in {found.folder} (pid {found.pid}), {until}")
    else:
        typer.echo(f"PostgreSQL is stopped; its folder is {found.folder}")


@group.command()
@telling
def url(dsn: Dsn = None) -> None:
    """Print its URL, for psql and others: psql "$(pgqueue db url)"."""
    found = embedded.status(_folder(dsn))
    if found.dsn is None:
        say_error(f"PostgreSQL is stopped in {found.folder}; start it: `pgqueue db start`")
        raise typer.Exit(Exit.UNREACHABLE)
    tell(_url(found.dsn), url=_url(found.dsn))


def _url(dsn: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    words = conninfo_to_dict(dsn)
    return f"postgresql://{words['user']}@/{words['dbname']}?host={quote(str(words['host']))}&port={words['port']}"


def _folder(dsn: str | None) -> Path | None:
    if dsn is None:
        return None
    if not embedded.is_embedded(dsn):
        raise UsageError(
            "`pgqueue db` is about the embedded PostgreSQL, and the DSN names another; say --dsn embedded:"
        )
    return embedded.folder_of(dsn)
