"""`pgqueue queues whatif`: how long until nothing waits, as it goes now, and with other slots, a pause, other rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from pgqueue.cli.completing import queue_names
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY, tell_nearest
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import Columns, print_json, print_list, rounded
from pgqueue.cli.queues import check_queues
from pgqueue.cli.spans import brief_seconds, per_minute
from pgqueue.forecast import NOTE, Basis, Change, Course, change_of, course
from pgqueue.moment_answers import forecast_answer
from pgqueue.store.forecasting import basis
from pgqueue.store.looking import LONGER, look

Name = Annotated[str, typer.Argument(metavar="QUEUE", autocompletion=queue_names, help="The queue's name.")]


@dataclass(frozen=True, slots=True)
class _Row:
    """A course, and what it is called."""

    name: str
    course: Course | None


COLUMNS: Columns[_Row] = {
    "": lambda row: row.name,
    "SLOTS": lambda row: row.course and row.course.slots,
    "IN/MIN": lambda row: row.course and per_minute(60 * row.course.into),
    "OUT/MIN": lambda row: row.course and per_minute(60 * row.course.out),
    "DRAIN": lambda row: row.course and in_words(row.course.drain),
    "BEST TO WORST": lambda row: row.course and f"{in_words(row.course.soonest)} to {in_words(row.course.latest)}",
}


def whatif(
    name: Name,
    slots: Annotated[
        str | None, typer.Option("--slots", metavar="+N|-N|N", help="More, fewer, or so many in all.")
    ] = None,
    pause: Annotated[str | None, typer.Option("--pause", metavar="TIME", help="Begin only after so long.")] = None,
    rate: Annotated[str | None, typer.Option("--rate", metavar="N/s", help="At most so many; also /m, /h.")] = None,
    into: Annotated[str | None, typer.Option("--in", metavar="N/s", help="So many come in; also /m, /h.")] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Say how long until no job of a queue waits: as it goes now, and with other slots, a pause, other rates.

    Arithmetics on the last hour, not a promise. Counts 10,000 jobs, and reads what workers have counted.
    """
    check_queues([name])
    change = change_of(slots, pause, rate, into)
    with connected(dsn) as conn:
        found = look(conn, lambda conn: basis(conn, name), LONGER)
        if found is None:
            say_error(BUSY)
            raise typer.Exit(Exit.FAILED)
        now, then = course(found, Change()), course(found, change)
        if as_json:
            print_json(forecast_answer(name, found, now, then))
            return
        if now is None:
            tell_nearest(conn, name, None)
    _print(name, found, change, now, then)


def _print(name: str, found: Basis, change: Change, now: Course | None, then: Course | None) -> None:
    if now is None:
        typer.echo(f"{name}: no job has ended in the last hour, so that nothing can be told of the next.")
        return
    run = brief_seconds(found.run)
    typer.echo(
        f"{name}: {found.ready:,} ready; a job takes ≈ {run} of a slot; {now.busy:.0%} of a slot's time is for it"
    )
    rows = [_Row("as it goes now", now)]
    if not change.is_none:
        rows.append(_Row(described(change), then))
    print_list(rows, COLUMNS, as_json=False, empty="")
    typer.echo(f"{NOTE[0].upper()}{NOTE[1:]}; best and worst: by the tens of minutes in it.")
    if found.paused:
        say(f"{name} is paused: this is how it would go if it went on")
    if not found.slots:
        say(f"no live worker serves {name}: a slot is taken to be busy with it alone")
    elif then is not None and found.most_slots is not None and change.slots_of(found.slots) > then.slots:
        say(f"its limit lets no more than {found.most_slots} run at once: `pgqueue queues limit {name}`")


def described(change: Change) -> str:
    """A change in words."""
    said = {
        "slots": f"{change.slots:+d} slots" if change.slots else None,
        "in all": None if change.slots_in_all is None else f"{change.slots_in_all} slots",
        "pause": f"after {rounded(timedelta(seconds=change.pause))}" if change.pause else None,
        "rate": None if change.rate is None else f"at most {60 * change.rate:,.4g}/min",
        "in": None if change.into is None else f"{60 * change.into:,.4g}/min in",
    }
    return ", ".join(filter(None, said.values()))


def in_words(seconds: float | None) -> str:
    """How long until no job waits."""
    if seconds is None:
        return "never"
    return f"≈ {rounded(timedelta(seconds=seconds))}" if seconds else "at once"
