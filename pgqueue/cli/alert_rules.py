"""`pgqueue alerts rules`: from where on something is an alert."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say_error
from pgqueue.cli.options import Dsn, Json, listing, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.cli.values import seconds_or_off
from pgqueue.printable import in_one_line
from pgqueue.store import alert_settings, execute
from pgqueue.store.alert_settings import Rule

COLUMNS: Columns[Rule] = {
    "KIND": lambda row: row.kind,
    "OBJECT": lambda row: row.object or None,
    "BOUND": lambda row: "off" if row.bound is None else f"{row.bound:g}",
    "ELSE": lambda row: f"{row.default:g}",
    "WHICH IS": lambda row: row.meaning,
}

Kind = Annotated[str, typer.Argument(metavar="KIND", help="A kind of alerts: dead, stalled, ...")]
Object = Annotated[
    str, typer.Option("--object", "-o", metavar="NAME", help="Only this queue, cause, schedule, host, limit or check.")
]


def _rules(dsn: Dsn = None) -> None:
    """Look at from where on something is an alert; change it, for a kind or for one object."""


group = new_group(_rules)


@group.command("list")
@listing
def list_rules(dsn: Dsn = None, as_json: Json = False) -> None:
    """List the kinds of alerts, and from where on each is one."""
    with connected(dsn) as conn:
        found = execute(conn, alert_settings.rules())
    print_list(found, COLUMNS, as_json=as_json, empty="There is no kind of alert.")


@group.command("set")
@telling
def set_rule(
    kind: Kind,
    bound: Annotated[
        float,
        typer.Argument(
            metavar="BOUND|off", parser=seconds_or_off, help="A number, or a time: 20, 90s, 2h. `off` is never."
        ),
    ],
    name: Object = "",
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Say from where on something is an alert."""
    with connected(dsn) as conn:
        _require_kind({rule.kind for rule in execute(conn, alert_settings.rules())}, kind)
        with acting(conn, "alerts rules set", on=f"{kind} {name}".strip(), reason=reason):
            execute(conn, alert_settings.set_rule(kind, name, None if math.isinf(bound) else bound))
    done = "is off" if math.isinf(bound) else f"is told from {bound:g} on"
    tell(f"{f'{kind} {name}'.strip()} {done}", kind=kind, name=name)


@group.command("unset")
@telling
def unset_rule(kind: Kind, name: Object = "", reason: Reason = None, dsn: Dsn = None) -> None:
    """Have it as it comes."""
    with connected(dsn) as conn, acting(conn, "alerts rules unset", on=f"{kind} {name}".strip(), reason=reason) as act:
        act.done = execute(conn, alert_settings.unset_rule(kind, name))
    if not act.done:
        say_error(in_one_line(f"nothing was said of {kind} {name}".strip()))
        raise typer.Exit(Exit.NOT_FOUND)
    tell(f"{kind} {name}".strip() + " is as it comes", kind=kind, name=name)


def _require_kind(known: set[str], kind: str) -> None:
    if kind not in known:
        say_error(in_one_line(f"there is no kind {kind}; there are {', '.join(sorted(known))}"))
        raise typer.Exit(Exit.USAGE)
