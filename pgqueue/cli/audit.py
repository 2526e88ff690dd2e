"""`pgqueue audit`: who did what by hand, and why."""

from __future__ import annotations

from pgqueue.cli.database import connected
from pgqueue.cli.options import BeforeNumber, Dsn, Json, Most, listing, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.store import audit, execute
from pgqueue.store.audit import Act

COLUMNS: Columns[Act] = {
    "NUMBER": lambda row: row.id,
    "AT": lambda row: row.at,
    "WHO": lambda row: row.who,
    "ROLE": lambda row: row.role,
    "VIA": lambda row: row.via,
    "ACTION": lambda row: row.action,
    "ON": lambda row: row.filter or ", ".join(map(str, row.job_ids or ())),
    "JOBS": lambda row: row.n,
    "REASON": lambda row: row.reason,
}


def _audit(dsn: Dsn = None) -> None:
    """Look at what was done by hand."""


group = new_group(_audit)


@group.command("list")
@listing
def list_acts(
    dsn: Dsn = None,
    limit: Most = 50,
    before: BeforeNumber = None,
    as_json: Json = False,
) -> None:
    """List what was done by hand, the newest first: who, what, on which jobs or names, and why. Kept 180 days."""
    with connected(dsn) as conn:
        rows = execute(conn, audit.newest(before, limit))
    print_list(rows, COLUMNS, as_json=as_json, empty="Nothing was done by hand.")
