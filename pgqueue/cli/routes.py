"""`pgqueue routes`: which queue the jobs of a target wait in that say none, in the database and in code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.apps import load_apps
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import App, Dsn, Json, listing, new_group
from pgqueue.cli.output import Columns, print_json, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.globs import best
from pgqueue.job import DEFAULT_QUEUE
from pgqueue.routes import check_route, routes_in_code
from pgqueue.store import execute, routes
from pgqueue.tasks import registered, target_of


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route, and whether it stands in `code` or in the `database`."""

    pattern: str
    queue: str
    source: str


COLUMNS: Columns[RouteRow] = {
    "PATTERN": lambda row: row.pattern,
    "QUEUE": lambda row: row.queue,
    "IN": lambda row: row.source,
}
Pattern = Annotated[str, typer.Argument(metavar="PATTERN", help="A target, or a glob of them: video.*")]


def _routes(dsn: Dsn = None) -> None:
    """Look at routes, try and change them: which queue the jobs of a target wait in that say none."""


group = new_group(_routes)


@group.command("list")
@listing
def list_routes(dsn: Dsn = None, app: App = [], as_json: Json = False) -> None:  # noqa: B006, typer copies it
    """List the routes; with --app those of its code, too, which come before those of the database."""
    if app:
        load_apps(app)
    with connected(dsn) as conn:
        stored = execute(conn, routes.rows())
    rows = [RouteRow(pattern, queue, "code") for pattern, queue in sorted(routes_in_code().items())]
    rows += [RouteRow(*row, "database") for row in stored]
    print_list(rows, COLUMNS, as_json=as_json, empty="There is no route.")


@group.command("test")
def try_route(
    target: Annotated[str, typer.Argument(metavar="MODULE:FUNCTION", help="A target.")],
    dsn: Dsn = None,
    app: App = [],  # noqa: B006, typer copies it
    as_json: Json = False,
) -> None:
    """Say which queue a job of this target would wait in that says none, and why.

    With --app as a program would have it that imports it; else as from SQL.
    """
    if app:
        load_apps(app)
    name = target_of(target)
    with connected(dsn) as conn:
        stored = dict(execute(conn, routes.rows()))
    queue, why = _queue_of(name, stored)
    if as_json:
        print_json({"target": name, "queue": queue, "why": why})
    else:
        typer.echo(f"{name} waits in {queue}: {why}")


@group.command("set")
@telling
def set_route(
    pattern: Pattern,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The queue.")],
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Have the jobs to come of a target, or of a glob of them, wait in this queue where nothing else is said."""
    check_route(pattern, queue)
    with connected(dsn) as conn, acting(conn, "routes set", on=f"{pattern} {queue}", reason=reason):
        execute(conn, routes.put(pattern, queue))
    tell(f"{pattern} goes to {queue}", pattern=pattern, queue=queue)


@group.command()
@telling
def remove(pattern: Pattern, reason: Reason = None, dsn: Dsn = None) -> None:
    """Take a route of the database away; jobs that wait stay where they are."""
    with connected(dsn) as conn:
        with acting(conn, "routes remove", on=pattern, reason=reason) as act:
            act.done = execute(conn, routes.remove(pattern))
        if not act.done:
            say(f"there is no route {pattern}")
            raise typer.Exit(Exit.NOT_FOUND)
    tell(f"{pattern} is no route any more", pattern=pattern)


def _queue_of(target: str, stored: dict[str, str]) -> tuple[str, str]:
    task = registered(target)
    if task is not None and task.options.queue is not None:
        return task.options.queue, "its task says so"
    for source, found in (("in code", routes_in_code()), ("in the database", stored)):
        if (pattern := best(found, target)) is not None:
            return found[pattern], f"the route {pattern} {source}"
    return DEFAULT_QUEUE, "no route is of it"
