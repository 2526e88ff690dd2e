"""`pgqueue audit`: who did what by hand, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from pgqueue.cli.database import connected
from pgqueue.cli.options import Dsn, Json, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.store import audit, execute
from pgqueue.store.audit import Act

COLUMNS: Columns[Act] = {
    "NUMBER": lambda row: row.id,
    "AT": lambda row: row.at,
    "WHO": lambda row: row.who,
    "VIA": lambda row: row.via,
    "ACTION": lambda row: row.action,
    "ON": lambda row: row.filter or ", ".join(map(str, row.job_ids or ())),
    "REASON": lambda row: row.reason,
}


def _audit(dsn: Dsn = None) -> None:
    """Look at what was done by hand."""


group = new_group(_audit)


@group.command("list")
def list_acts(
    dsn: Dsn = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, max=1000, help="At most so many.")] = 50,
    before: Annotated[
        int | None, typer.Option("--before", metavar="NUMBER", help="Only lower numbers: the next page.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List what was done by hand, the newest first: who, what, on which jobs or names, and why. Kept 180 days."""
    with connected(dsn) as conn:
        rows = execute(conn, audit.newest(before, limit))
    print_list(rows, COLUMNS, as_json=as_json, empty="Nothing was done by hand.")
