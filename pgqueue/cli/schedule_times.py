"""`pgqueue schedules next`: when a schedule, or a rule, will fire, with changes of the zone's clocks marked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated

import typer

from pgqueue.cli.database import connected
from pgqueue.cli.errors import say
from pgqueue.cli.options import Dsn, Json, duration_option
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.schedule_names import found
from pgqueue.cli.values import moment
from pgqueue.cron import Rule, Time, Timing, coming, rule_of
from pgqueue.errors import UsageError

COLUMNS: Columns[Time] = {
    "LOCAL": lambda row: row.local.strftime("%a %Y-%m-%d %H:%M:%S %z"),
    "UTC": lambda row: row.utc.strftime("%Y-%m-%d %H:%M:%S"),
    "": lambda row: row.clocks,
}


def next_times(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The schedule's name.")] = None,
    dsn: Dsn = None,
    cron: Annotated[str | None, typer.Option("--cron", metavar="RULE", help="A rule, without a schedule.")] = None,
    every: Annotated[timedelta | None, duration_option("--every", "An interval, without a schedule.")] = None,
    timezone: Annotated[str, typer.Option("--timezone", metavar="ZONE", help="The rule's zone, without one.")] = "UTC",
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, max=10_000, help="So many.")] = 10,
    after: Annotated[
        datetime | None, typer.Option("--after", metavar="MOMENT", parser=moment, help="Behind this; else now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the coming times of a schedule, or of a rule that need not be one, and mark changes of clocks."""
    if sum(given is not None for given in (name, cron, every)) != 1:
        raise UsageError("give the name of a schedule, or --cron RULE, or --every TIME")
    begin = after or datetime.now(UTC)
    if name is not None:
        rule, timezone, begin = _of_schedule(dsn, name, after)
    else:
        rule = rule_of(cron, Timing(cron=cron, every=every).every)
    times = list(islice(coming(rule, timezone, begin), limit))
    print_list(times, COLUMNS, as_json=as_json, empty="It never fires again.")


def _of_schedule(dsn: str | None, name: str, after: datetime | None) -> tuple[Rule, str, datetime]:
    """The rule of a schedule, its zone, and the time behind which it has not been decided."""
    with connected(dsn) as conn:
        row = found(conn, name)
    if row.paused_by is not None:
        say(f"{name} is paused, and fires at none of them until it is resumed")
    # An interval counts from its last tick.
    begin = row.last_at if row.cron is None else after or datetime.now(UTC)
    return rule_of(row.cron, row.every), row.timezone, begin
