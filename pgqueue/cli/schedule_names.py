"""Which schedule is meant by a name, and which one may have been."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import typer

from pgqueue.cli.errors import Exit, say_error
from pgqueue.store import execute, schedules
from pgqueue.store.schedules import ScheduleRow

if TYPE_CHECKING:
    import psycopg

# So many names are compared with one that nobody has.
MOST_COMPARED = 2_000


def found(conn: psycopg.Connection[Any], name: str) -> ScheduleRow:
    """The schedule of that name; ends the command if there is none."""
    row = execute(conn, schedules.get(name))
    if row is None:
        say_error(missing(conn, name))
        raise typer.Exit(Exit.NOT_FOUND)
    return row


def missing(conn: psycopg.Connection[Any], name: str) -> str:
    """That there is none of that name, and which one may be meant."""
    known = [row.name for row in execute(conn, schedules.rows(MOST_COMPARED))]
    near = difflib.get_close_matches(name, known, n=1)
    return f"no schedule {name}{f'; did you mean {near[0]}?' if near else ''}"
