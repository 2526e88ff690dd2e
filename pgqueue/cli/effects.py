"""`pgqueue effects`: what jobs have done once, and what nobody knows of; to be looked at, and decided."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from pgqueue.acting import effects as deciding
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import Dsn, Json, Most, listing, new_group
from pgqueue.cli.output import Columns, print_json, print_list, written
from pgqueue.cli.telling import tell, telling
from pgqueue.ledger import SCOPE
from pgqueue.ledger.terms import check_effect
from pgqueue.printable import as_json as json_text
from pgqueue.printable import in_one_line
from pgqueue.record import Effect
from pgqueue.store import effects, execute, secrecy

COLUMNS: Columns[Effect] = {
    "SCOPE": lambda row: row.scope,
    "KEY": lambda row: row.key,
    "STATE": lambda row: row.state,
    "SINCE": lambda row: row.done_at or row.reserved_at,
    "JOB": lambda row: row.job_id,
    "TASK": lambda row: row.target,
}
Key = Annotated[str, typer.Argument(metavar="KEY", help="As the code has it: charge:42.")]
Scope = Annotated[str, typer.Option("--scope", metavar="NAME", help="Of keys; each scope has its own.")]


def _effects(dsn: Dsn = None) -> None:
    """Look at what was done once, and decide about what nobody knows."""


group = new_group(_effects)


@group.command("list")
@listing
def list_effects(
    keys: Annotated[str, typer.Argument(metavar="[KEY]", help="A key; 'charge:*' is each that begins so.")] = "*",
    scope: Annotated[str | None, typer.Option("--scope", metavar="NAME", help="Only of this scope.")] = None,
    undecided: Annotated[
        bool, typer.Option("--open", help="Only those that are not done: reserved, or unknown.")
    ] = False,
    dsn: Dsn = None,
    limit: Most = 50,
    after: Annotated[
        str, typer.Option("--after", metavar="SCOPE:KEY", help="Only behind this one: the next page.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List what was done once, by scope and key: those that are told to begin so, or all.

    Without --scope a KEY is one of the scope `default`.
    """
    behind = _place(after)
    prefix = keys.removesuffix("*")
    named = scope or (SCOPE if prefix else None)
    with connected(dsn) as conn:
        rows = execute(conn, effects.listed(named, prefix, undecided, limit + 1, behind))
        if keys == prefix:
            rows = [row for row in rows if row.key == keys]
        shown = secrecy.effects_shown(conn, rows[:limit])
    print_list(shown, COLUMNS, as_json=as_json, empty="Nothing of this kind was done: `with job.once(key):` does.")
    if len(rows) > limit:
        say(f"there are more; go on with --after {rows[limit - 1].scope}:{rows[limit - 1].key}")


@group.command()
def show(key: Key, scope: Scope = SCOPE, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one key: whether it was done, when, by which job, and what came of it."""
    check_effect(key, scope)
    with connected(dsn) as conn:
        found = execute(conn, effects.get(scope, key))
        if found is None:
            _miss(key, scope)
        (row,) = secrecy.effects_shown(conn, [found])
    if as_json:
        print_json(row)
        return
    for title, value in (
        ("key", row.key),
        ("scope", row.scope),
        ("state", row.state),
        ("reserved", row.reserved_at),
        ("done", row.done_at),
        ("kept until", row.expires_at),
        ("job", row.job_id),
        ("attempt", row.attempt),
        ("task", row.target),
        ("value", None if row.value is None else json_text(row.value)),
    ):
        if value is not None:
            typer.echo(f"{title:<12}{in_one_line(written(value))}")


@group.command()
@telling
def forget(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="As the code has them.")],
    scope: Scope = SCOPE,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Forget keys: whoever comes next does it, as if it had never been done."""
    with connected(dsn) as conn:
        for key in keys:
            if not deciding.forget(conn, actor(reason), key, scope):
                _miss(key, scope)
            tell(f"{key} is forgotten; whoever comes next does it", key=key, scope=scope)


@group.command()
@telling
def done(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="As the code has them.")],
    scope: Scope = SCOPE,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Say of keys that are unknown that it was done: nobody does it again."""
    with connected(dsn) as conn:
        for key in keys:
            if not deciding.set_done(conn, actor(reason), key, scope):
                _miss(key, scope)
            tell(f"{key} is done; nobody does it again", key=key, scope=scope)


def _place(after: str) -> tuple[str, str]:
    scope, colon, key = after.partition(":")
    if after and not (scope and colon):
        raise typer.BadParameter(f"reads like SCOPE:KEY, got {after!r}", param_hint="--after")
    return scope, key


def _miss(key: str, scope: str) -> NoReturn:
    say_error(f"nothing is known of {key!r} in the scope {scope!r}; `pgqueue effects list` has what is")
    raise typer.Exit(Exit.NOT_FOUND)
