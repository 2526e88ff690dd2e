"""`pgqueue causes`: why jobs fail, one row for all failures of a kind; and what people say of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from pgqueue.acting import causes as acting
from pgqueue.answers import cause_answer
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.cause_names import cause_of_prefix
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say_error
from pgqueue.cli.job_list import BUSY
from pgqueue.cli.options import Dsn, Json, Most, Target, duration_option, listing, new_group
from pgqueue.cli.output import Columns, paint, print_json, print_list, written
from pgqueue.cli.telling import tell, telling
from pgqueue.job import JobState
from pgqueue.printable import in_one_line
from pgqueue.store import causes, execute
from pgqueue.store.causes import Cause
from pgqueue.store.listing import Asked, page
from pgqueue.store.looking import LONGER, look

COLUMNS: Columns[Cause] = {
    "CAUSE": lambda row: row.cause,
    "STATE": lambda row: row.state,
    "LAST": lambda row: row.last_at,
    "FAILED": lambda row: row.failures,
    "DEAD": lambda row: f"> {row.dead:,}" if row.more else row.dead,
    "TARGET": lambda row: row.target,
    "ERROR": lambda row: row.title or _error(row),
}
# Dead jobs that are shown beside a cause.
SHOWN = 5

CauseName = Annotated[str, typer.Argument(metavar="CAUSE", help="The cause, or its first digits.")]


def _causes(dsn: Dsn = None) -> None:
    """Look at why jobs fail; say of a cause that it is known, or should be gone."""


group = new_group(_causes)


@group.command("list")
@listing
def list_causes(
    dsn: Dsn = None,
    within: Annotated[
        timedelta, duration_option("--within", "Count failures of so long; what was first met in it is new.")
    ] = timedelta(days=1),
    target: Target = None,
    limit: Most = 50,
    as_json: Json = False,
) -> None:
    """List the causes of dead jobs and of failures, the last met first. FAILED attempts are of the last day."""
    found = _listed(dsn, within)
    rows = [row for row in found if target is None or row.target == target]
    print_list(rows[:limit], COLUMNS, as_json=as_json, empty="No job has failed.")


@group.command()
def show(cause: CauseName, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one cause: its error, when it was met, what people say of it, and its newest dead jobs."""
    with connected(dsn) as conn:
        name = cause_of_prefix(conn, cause)
        found = look(conn, lambda conn: execute(conn, causes.one(name)), LONGER)
        jobs = page(conn, Asked(states=frozenset({JobState.DEAD}), cause=name, limit=SHOWN))
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    ids = [str(job.id) for job in jobs.jobs] if jobs is not None else []
    if as_json:
        print_json(cause_answer(found, [] if jobs is None else jobs.jobs))
        return
    facts = {
        "cause": found.cause,
        "state": found.state,
        "title": found.title,
        "target": found.target,
        "error": _error(found),
        "first met": found.first_at,
        "last met": found.last_at,
        "failures": f"{found.failures:,} in a day",
        "dead": f"more than {found.dead:,}" if found.more else f"{found.dead:,}",
        "assignee": found.assignee,
        "note": found.note,
        "muted until": found.muted_until,
        "resolved": found.resolved_at,
        "in release": found.resolved_release,
    }
    for name, value in facts.items():
        if value is not None:
            typer.echo(f"{paint(name.ljust(12), 'bold')} {in_one_line(written(value), 2_000)}")
    for job_id in ids:
        typer.echo(f"{paint('dead job'.ljust(12), 'bold')} {job_id}")


@group.command()
@telling
def mute(
    cause: CauseName,
    lasting: Annotated[timedelta, duration_option("--for", "For so long.")] = timedelta(days=7),
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Say nothing more of a cause in `status`, for a week unless said; `--for 0` says it again."""
    with connected(dsn) as conn:
        name = cause_of_prefix(conn, cause)
        _require(acting.mute(conn, actor(reason), name, lasting or None), name)
    tell(f"{name} is muted for {lasting}" if lasting else f"{name} is muted no more", cause=name)


@group.command()
@telling
def resolve(
    cause: CauseName,
    release: Annotated[str | None, typer.Option("--release", metavar="NAME", help="In which release.")] = None,
    again: Annotated[bool, typer.Option("--reopen", help="It is not resolved after all.")] = False,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Say that a cause is mended: if it is met again, that is a regression, and `status` tells."""
    with connected(dsn) as conn:
        name = cause_of_prefix(conn, cause)
        who = actor(reason)
        _require(acting.reopen(conn, who, name) if again else acting.resolve(conn, who, name, release), name)
    tell(f"{name} is open again" if again else f"{name} is resolved", cause=name)


@group.command()
@telling
def describe(
    cause: CauseName,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="A name for it.")] = None,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="What is known of it.")] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", metavar="NAME", help="Who looks after it.")] = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Say what a cause is, who looks after it, and what is known."""
    with connected(dsn) as conn:
        name = cause_of_prefix(conn, cause)
        said = {"title": title, "note": note, "assignee": assignee}
        _require(acting.describe(conn, actor(reason), name, **said), name)
    tell(f"{name} is described", cause=name)


def _listed(dsn: str | None, within: timedelta) -> list[Cause]:
    with connected(dsn) as conn:
        found = look(conn, lambda conn: execute(conn, causes.listed(within)), LONGER)
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    return found


def _require(done: bool, name: str) -> None:
    if not done:
        say_error(f"{name} was met by dead jobs alone that nobody has looked through yet; try again in a minute")
        raise typer.Exit(Exit.NOT_FOUND)


def _error(row: Cause) -> str | None:
    return ": ".join(filter(None, (row.error_type, row.error))) or None
