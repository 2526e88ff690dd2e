"""`pgqueue schedules`: what is enqueued again and again; make, pause, resume, run and remove schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.acting import Actor
from pgqueue.acting import schedules as steering
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import Dsn, Json, Most, listing, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.schedule_adding import add
from pgqueue.cli.schedule_names import found, missing
from pgqueue.cli.schedule_page import print_schedule, print_ticks
from pgqueue.cli.schedule_times import next_times
from pgqueue.cli.telling import tell, telling
from pgqueue.store import execute, schedules, secrecy
from pgqueue.store.schedules import ScheduleRow

if TYPE_CHECKING:
    import psycopg

COLUMNS: Columns[ScheduleRow] = {
    "SCHEDULE": lambda row: row.name,
    "RULE": lambda row: rule(row),
    "TIMEZONE": lambda row: row.timezone if row.cron is not None else None,
    "TARGET": lambda row: row.target,
    "LAST": lambda row: row.last_at if row.last_job is not None else None,
    "NEXT": lambda row: row.next_at if row.paused_by is None else None,
    "": lambda row: condition(row),
}
UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="The schedules' names.")]


def rule(row: ScheduleRow) -> str:
    """The rule of a schedule, in a word."""
    if row.cron is not None:
        return row.cron
    every = row.every or 0
    length, unit = next((each for each in UNITS if every % each[0] == 0), (1, "s"))
    return f"every {every / length:g} {unit}"


def condition(row: ScheduleRow) -> str | None:
    """What keeps a schedule from firing, in a word."""
    if row.paused_by is not None:
        return "paused" if row.paused_by == "hand" else "paused: not in the code"
    return "cannot fire" if row.fault is not None else None


def _shown(conn: psycopg.Connection[Any], rows: Sequence[ScheduleRow]) -> list[ScheduleRow]:
    """Schedules without what their tasks call sensitive."""
    known = secrecy.knowing(conn, (row.target for row in rows))
    return [replace(row, args=known.of_value(row.target, row.args)[0]) for row in rows]


def _schedules(dsn: Dsn = None) -> None:
    """Look at schedules and what became of their ticks; make, pause, resume, run and remove them."""


group = new_group(_schedules)
group.command("add")(telling(add))
group.command("next")(next_times)


@group.command("list")
@listing
def list_schedules(
    dsn: Dsn = None,
    limit: Most = 200,
    after: Annotated[str, typer.Option("--after", metavar="NAME", help="Only behind this name: the next page.")] = "",
    as_json: Json = False,
) -> None:
    """List the schedules by name, with their rules, and when each fired last and will fire next."""
    with connected(dsn) as conn:
        rows = _shown(conn, execute(conn, schedules.rows(limit + 1, after)))
    print_list(rows[:limit], COLUMNS, as_json=as_json, empty="There is no schedule; make one: `pgqueue schedules add`.")
    if len(rows) > limit:
        say(f"there are more; go on with --after {rows[limit - 1].name}")


@group.command()
def show(name: Name, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one schedule: its rule, its job, and what became of its last ticks."""
    with connected(dsn) as conn:
        (row,) = _shown(conn, [found(conn, name)])
        print_schedule(row, execute(conn, schedules.history(name, 5)), as_json=as_json)


@group.command()
@listing
def history(
    name: Name,
    dsn: Dsn = None,
    limit: Most = 50,
    as_json: Json = False,
) -> None:
    """List what became of a schedule's ticks, the latest first: kept 7 days, and after the schedule itself."""
    with connected(dsn) as conn:
        ticks = execute(conn, schedules.history(name, limit))
        if not ticks:
            found(conn, name)
    print_ticks(ticks, as_json=as_json)


@group.command()
@telling
def pause(names: Names, reason: Reason = None, dsn: Dsn = None) -> None:
    """Let these schedules fire no more, until `resume`."""
    _each(dsn, names, reason, steering.pause, "is paused")


@group.command()
@telling
def resume(names: Names, reason: Reason = None, dsn: Dsn = None) -> None:
    """Let paused schedules go on; what they missed is caught up as their --catch-up says."""
    _each(dsn, names, reason, steering.resume, "goes on")


@group.command()
@telling
def remove(names: Names, reason: Reason = None, dsn: Dsn = None) -> None:
    """Remove schedules; their jobs and their history stay."""
    with connected(dsn) as conn:
        declared = [name for name in names if (row := execute(conn, schedules.get(name))) and row.source is not None]
    _each(dsn, names, reason, steering.remove, "is removed")
    for name in declared:
        say(f"{name} is declared in code, and comes back when that changes; pause it, or take it out there")


@group.command()
@telling
def run(name: Name, reason: Reason = None, dsn: Dsn = None) -> None:
    """Enqueue one more job of a schedule now, whatever its rule says, and print its id."""
    with connected(dsn) as conn:
        job = steering.run(conn, actor(reason), name)
        if job is None:
            found(conn, name)
    tell(str(job), schedule=name, job=job)


def _each(
    dsn: str | None,
    names: list[str],
    reason: str | None,
    move: Callable[[psycopg.Connection[Any], Actor, str], bool],
    done: str,
) -> None:
    absent = []
    with connected(dsn) as conn:
        for name in names:
            if move(conn, actor(reason), name):
                tell(f"{name} {done}", schedule=name)
            else:
                absent.append(missing(conn, name))
    for message in absent:
        say_error(message)
    if absent:
        raise typer.Exit(Exit.NOT_FOUND)
