"""`pgqueue index`: indexes of an argument for searches, on ended and on dead jobs alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer

from pgqueue.beside import build
from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import Dsn, Json, listing, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.cli.worker_page import size_in_words
from pgqueue.errors import UsageError
from pgqueue.printable import in_one_line
from pgqueue.store import Statement, arg_indexes, execute, reports
from pgqueue.store.arg_indexes import TABLES, ArgIndex
from pgqueue.store.partitions import partition_names

if TYPE_CHECKING:
    from collections.abc import Sequence

# Letters of a path, and names in it; bytes of an entry, about; rows that are read a second, about.
LONGEST, MOST_NAMES, ENTRY, ROWS_PER_SECOND = 200, 10, 60, 150_000

PathName = Annotated[str, typer.Argument(metavar="args.PATH", help="Which: args.user.id, args.0.")]
COLUMNS: Columns[ArgIndex] = {
    "ARGUMENT": lambda row: row.path,
    "TABLE": lambda row: row.table,
    "STATE": lambda row: "built" if row.valid else "not built to its end: drop it, and add it anew",
    "SIZE": lambda row: size_in_words(row.bytes),
    "USED": lambda row: row.used,
}


def _index(dsn: Dsn = None) -> None:
    """Have searches for an argument find ended and dead jobs at once."""


group = new_group(_index)


@group.command()
@telling
def add(
    path: PathName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Build an index of an argument on ended and on dead jobs, beside whoever is at work. Its price is said before.

    Jobs that wait or run have none: theirs would be written by every enqueue. Only their owner can index tables.
    """
    _check(path)
    with connected(dsn) as conn:
        say(f"{_price(conn)}")
        if not yes and not typer.confirm(f"Index {path}?", err=True):
            say("nothing was done")
            raise typer.Exit(Exit.FAILED)
        for table in TABLES:
            there = {row.name: row for row in execute(conn, arg_indexes.listed())}
            name = arg_indexes.name_of(table, path)
            if name in there and not there[name].valid:
                _drop(conn, table, name)
            _run(conn, arg_indexes.create(table, path))
            _run(conn, arg_indexes.describe(table, path))
            tell(f"{path} is indexed in {table}", path=path, table=table)
        with acting(conn, "index add", on=path, reason=reason):
            pass


@group.command("list")
@listing
def list_indexes(dsn: Dsn = None, as_json: Json = False) -> None:
    """List the indexes of arguments: how large each is, and how often searches have used it."""
    with connected(dsn) as conn:
        rows = execute(conn, arg_indexes.listed())
    print_list(rows, COLUMNS, as_json=as_json, empty="No argument is indexed.")


@group.command()
@telling
def drop(path: PathName, reason: Reason = None, dsn: Dsn = None) -> None:
    """Drop the indexes of an argument: what they cost and what they find goes with them."""
    _check(path)
    with connected(dsn) as conn:
        there = execute(conn, arg_indexes.listed())
        found = [row for row in there if row.path == path or row.name in _names(path)]
        if not found:
            say_error(f"{path} is not indexed; {_named(there)}")
            raise typer.Exit(Exit.NOT_FOUND)
        for row in found:
            _drop(conn, row.table, row.name)
            tell(f"{path} is indexed no more in {row.table}", path=path, table=row.table)
        with acting(conn, "index drop", on=path, reason=reason):
            pass


def _names(path: str) -> set[str]:
    return {arg_indexes.name_of(table, path) for table in TABLES}


def _named(there: Sequence[ArgIndex]) -> str:
    paths = sorted({row.path for row in there if row.path is not None})
    return f"there are {', '.join(in_one_line(path, 80) for path in paths)}" if paths else "no argument is"


def _check(path: str) -> None:
    names = path.split(".")
    is_right = names[0] == "args" and 1 < len(names) <= MOST_NAMES + 1 and all(names)
    if not is_right or len(path) > LONGEST or re.search(r"[\0=<>:\s]", path):
        raise UsageError(f"an argument is named as searches name it, args.user.id or args.0, got {path[:80]!r}")


def _price(conn: psycopg.Connection[Any]) -> str:
    """What an index of it would cost."""
    found = execute(conn, reports.estimates())
    rows = (found.attempts or 0) + (found.dead_jobs or 0)
    size = size_in_words(rows * ENTRY) if rows else "nothing yet"
    took = max(1, round(rows / ROWS_PER_SECOND))
    return (
        f"reads about {rows:,} rows, {took:,} s or more beside the work; about {size} of disk, and a little time for"
        " each job that ends. Drop it when it is not needed: `pgqueue index drop`"
    )


def _drop(conn: psycopg.Connection[Any], table: str, name: str) -> None:
    parts = execute(conn, partition_names(table))
    _run(conn, arg_indexes.drop(name, beside=not parts))


def _run(conn: psycopg.Connection[Any], statement: Statement[None]) -> None:
    try:
        build(conn, statement.sql)
    except psycopg.errors.InsufficientPrivilege as error:
        raise UsageError(
            f"only the owner of pgqueue's tables can index them: run it as who runs `pgqueue migrate` ({error})"
        ) from error
