"""`pgqueue limits role`: how often, how much, and into how many queues a role of the database may enqueue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from pgqueue.acting import limits as steering
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import Dsn
from pgqueue.cli.telling import tell
from pgqueue.cli.values import number_or_none
from pgqueue.store import execute, role_limits
from pgqueue.store.role_limits import ALL, RoleLimit

# More roles with limits of their own than anybody reads at once.
MOST = 200
Number = int | None


def _number(name: str, metavar: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar=metavar, parser=number_or_none, help=text)
    return option


def role(
    name: Annotated[
        str | None, typer.Argument(metavar="[ROLE]", help="A role of the database; '*' is all; unsaid: list them.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="RATE", help="So many jobs in a time: 100/s, 6000/m; or none.")
    ] = None,
    burst: Annotated[Number, _number("--burst", "N", "Of them, so many at once; or none.")] = None,
    max_queues: Annotated[
        Number, _number("--max-queues", "N", "No new queue while jobs wait in so many; or none.")
    ] = None,
    max_size: Annotated[
        Number, _number("--max-size", "N", "So many live jobs in a queue without a size of its own; or none.")
    ] = None,
    max_args: Annotated[
        Number, _number("--max-args", "BYTES", "So large a job's arguments, labels and follow-ups; or none.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Lift all of it.")] = False,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Say what a role may enqueue, with all its members; or its limits, or those of all roles.

    What is not said stays as it was; `none` lifts a limit. Who goes beyond one is refused in their transaction.
    """
    said = (rate, burst, max_queues, max_size, max_args)
    if name is None:
        if remove or any(value is not None for value in said):
            raise typer.BadParameter("is missing: name a role, or '*' for all", param_hint="ROLE")
        _list(dsn)
        return
    with connected(dsn) as conn:
        if remove:
            if not steering.remove_role(conn, actor(reason), name):
                say_error(f"the role {name!r} has no limit of its own")
                raise typer.Exit(Exit.NOT_FOUND)
        elif any(value is not None for value in said):
            steering.put_role(
                conn,
                actor(reason),
                name,
                rate=rate,
                burst=burst,
                max_queues=max_queues,
                max_size=max_size,
                max_args=max_args,
            )
        row = execute(conn, role_limits.get(name))
    _tell(name, row)


def _list(dsn: str | None) -> None:
    with connected(dsn) as conn:
        rows = execute(conn, role_limits.rows(MOST + 1))
    for row in rows[:MOST]:
        _tell(row.role, row)
    if not rows:
        say("No role has a limit; set one: `pgqueue limits role ROLE --rate 100/s`.")
    if len(rows) > MOST:
        say(f"there are more than these {MOST}; they are in the table pgqueue.role_limits")


def _tell(name: str, row: RoleLimit | None) -> None:
    named = "every role" if name == ALL else name
    facts = {"role": name} if row is None else asdict(row)
    tell(f"{named}: {', '.join(() if row is None else _in_words(row)) or 'no limit'}", **facts)


def _in_words(row: RoleLimit) -> Iterator[str]:
    if row.rate is not None:
        yield f"rate {row.rate}"
    if row.burst is not None:
        yield f"burst {row.burst}"
    if row.max_queues is not None:
        yield f"max queues {row.max_queues}"
    if row.max_size is not None:
        yield f"max size {row.max_size}"
    if row.max_args is not None:
        yield f"max args {row.max_args} bytes"
