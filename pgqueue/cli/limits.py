"""`pgqueue limits`: how many jobs of a key, a task or a queue may run at once, or start in a time."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from pgqueue.acting import limits as steering
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.limit_page import COLUMNS, in_words, print_limit
from pgqueue.cli.options import Dsn, Json, Most, choice_option, listing, new_group
from pgqueue.cli.output import print_list
from pgqueue.cli.role_limit import role
from pgqueue.cli.telling import tell, telling
from pgqueue.cli.values import number_or_none
from pgqueue.limits import SCOPES, Scope
from pgqueue.store import execute, limits

Key = Annotated[str | None, typer.Argument(metavar="[KEY]", help="A limit key; 'tenant:*' is each that begins so.")]
Task = Annotated[str | None, typer.Option("--task", "-t", metavar="TARGET", help="Not of a key: of this task.")]
Queue = Annotated[str | None, typer.Option("--queue", "-q", metavar="NAME", help="Not of a key: of this queue.")]
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", metavar="N", parser=number_or_none, help="At most so many run at once; or none."),
]
Rate = Annotated[
    str | None, typer.Option("--rate", metavar="RATE", help="So many starts in a time: 100/m, 50/s, 5/10s; or none.")
]
Burst = Annotated[
    int | None,
    typer.Option("--burst", metavar="N", parser=number_or_none, help="Of them, so many at once; or none."),
]


class OnDead(StrEnum):
    """What becomes of an ordered key whose job is dead."""

    GO_ON = "go-on"
    STOP = "stop"


def _limits(dsn: Dsn = None) -> None:
    """Look at limits, set and remove them: of keys, of tasks, of queues; and of what roles may enqueue."""


group = new_group(_limits)
group.command("role")(telling(role))


@group.command("set")
@telling
def set_(
    key: Key = None,
    task: Task = None,
    queue: Queue = None,
    concurrency: Concurrency = None,
    rate: Rate = None,
    burst: Burst = None,
    weight: Annotated[
        int | None, typer.Option("--weight", metavar="1-100", help="So many turns of the key to one of others.")
    ] = None,
    ordered: Annotated[
        bool | None,
        typer.Option("--ordered/--no-ordered", help="A job that is retried keeps its key's place.", show_default=False),
    ] = None,
    on_dead: Annotated[
        OnDead | None, choice_option("--on-dead", of=OnDead, help="When a job of an ordered key is dead.")
    ] = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Set a limit. What is not said stays as it was; `none` lifts a field. It wins over what code declares.

    Without any number it exempts: the longest name that fits a key rules it, and says nothing.
    """
    scope, name = _named(key, task, queue)
    with connected(dsn) as conn:
        steering.put(
            conn,
            actor(reason),
            scope,
            name,
            concurrency=concurrency,
            rate=rate,
            burst=burst,
            weight=weight,
            ordered=ordered,
            on_dead=None if on_dead is None else ("stop" if on_dead is OnDead.STOP else "go on"),
        )
        row = execute(conn, limits.get(scope, name))
    if row is not None:
        tell(f"{name}: {in_words(row)}", **asdict(row))


@group.command("list")
@listing
def list_limits(
    dsn: Dsn = None,
    limit: Most = 200,
    after: Annotated[
        str, typer.Option("--after", metavar="OF:NAME", help="Only behind this one, as key:tenant:*: the next page.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the limits of keys, of queues, of tasks, by name, and how many shares are taken: a thousand at most."""
    scope, _, name = after.partition(":")
    if after and scope not in SCOPES:
        raise typer.BadParameter(f"reads like key:NAME, queue:NAME or task:NAME, got {after!r}", param_hint="--after")
    with connected(dsn) as conn:
        rows = execute(conn, limits.rows(limit + 1, (scope, name)))
    print_list(rows[:limit], COLUMNS, as_json=as_json, empty="There is no limit; set one: `pgqueue limits set`.")
    if len(rows) > limit:
        say(f"there are more; go on with --after {rows[limit - 1].scope}:{rows[limit - 1].name}")


@group.command()
def show(key: Key = None, task: Task = None, queue: Queue = None, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show which limit rules a key, a task or a queue, and how much of it is in use; a thousand at most are counted."""
    scope, name = _named(key, task, queue)
    with connected(dsn) as conn:
        exact = execute(conn, limits.get(scope, name))
        row = execute(conn, limits.rule_of(name)) if exact is None and scope == "key" else exact
        if row is None:
            say_error(f"no limit rules the {scope} {name!r}")
            raise typer.Exit(Exit.NOT_FOUND)
        # What all keys of a name use together bounds nothing.
        use = None if name.endswith("*") else execute(conn, limits.use_of(scope, name, row.rate))
    print_limit(name, row, use, as_json=as_json)


@group.command()
@telling
def remove(key: Key = None, task: Task = None, queue: Queue = None, reason: Reason = None, dsn: Dsn = None) -> None:
    """Remove a limit; what it held back goes on."""
    scope, name = _named(key, task, queue)
    with connected(dsn) as conn:
        row = execute(conn, limits.get(scope, name))
        removed = steering.remove(conn, actor(reason), scope, name)
        ruling = execute(conn, limits.rule_of(name)) if scope == "key" and not removed else None
    if not removed:
        say_error(
            f"there is no limit of the {scope} {name!r}"
            + (f"; it is ruled by {ruling.name!r}, which can be removed" if ruling is not None else "")
        )
        raise typer.Exit(Exit.NOT_FOUND)
    tell(f"{name} has no limit of its own", scope=scope, name=name)
    if row is not None and row.source is not None:
        say(f"it is declared in {row.source}, and comes back; set it without numbers, or take it out there")


def _named(key: str | None, task: str | None, queue: str | None) -> tuple[Scope, str]:
    """What a limit is of: exactly one of these."""
    said: dict[Scope, str | None] = {"key": key, "task": task, "queue": queue}
    named = [(scope, name) for scope, name in said.items() if name is not None]
    if len(named) != 1:
        raise typer.BadParameter("a limit is of one thing: a KEY such as 'tenant:*', or --task, or --queue")
    return named[0]
