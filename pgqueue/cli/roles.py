"""`pgqueue roles`: the roles that pgqueue has made in the database, what each may do, and whether it may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import typer

from pgqueue.cli.acting import acting
from pgqueue.cli.database import connected, served
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import Dsn, Json, listing, new_group
from pgqueue.cli.output import Columns, print_json, print_list
from pgqueue.cli.rights import in_words, say_bereft
from pgqueue.cli.telling import tell, telling
from pgqueue.errors import UsageError
from pgqueue.store import execute, rights
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.rights import PARTS, Role

COLUMNS: Columns[Role] = {
    "PART": lambda row: row.part,
    "ROLE": lambda row: row.role if row.is_there else f"{row.role} (gone)",
    "MEMBERS": lambda row: ", ".join(row.members),
}


@dataclass(frozen=True, slots=True)
class May:
    """What a role may do: call functions, and use relations, each right with the columns that it is for."""

    part: str
    functions: list[str]
    relations: dict[str, list[str]]


def _roles(dsn: Dsn = None) -> None:
    """Look at the roles of pgqueue, and have each have the rights that it is to have."""


group = new_group(_roles)


@group.command()
@listing
def show(
    part: Annotated[str | None, typer.Argument(metavar="PART", help=f"One of {', '.join(PARTS)}.")] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """List the roles, and what is amiss with their rights: exit 1 then. Of one PART, say what it may do."""
    if part is not None:
        _show_part(part, as_json=as_json)
        return
    with connected(dsn) as conn:
        rows = execute(conn, rights.members())
        amiss = execute(conn, rights.amiss()) if rows else []
    print_list(rows, COLUMNS, as_json=as_json, empty="No roles were made; `pgqueue migrate --roles` makes them.")
    for cure in amiss:
        say(f"amiss: {cure};")
    if amiss:
        say("`pgqueue roles sync` puts it right")
    if amiss or not all(row.is_there for row in rows):
        raise typer.Exit(Exit.FAILED)


@group.command()
@telling
def sync(dsn: Dsn = None) -> None:
    """Give each role the rights that it is to have, no more and no less; make a role that is missing."""
    # It needs SQLAlchemy, for a migration that is in the way.
    from pgqueue import granting

    with served(dsn) as address, diagnosed():
        given = granting.sync(address)
        with connected(address) as conn, acting(conn, "roles sync"):
            tell(in_words(given), statements=given.statements, bereft=given.bereft)
    say_bereft(given)


def _show_part(part: str, *, as_json: bool) -> None:
    if part not in PARTS:
        raise UsageError(f"a part is one of {', '.join(PARTS)}, got {part!r}")
    may = _may(part)
    if as_json:
        print_json(may)
        return
    if part == "migrator":
        typer.echo("The migrator owns all of it.")
    if part == "admin":
        typer.echo("The admin may read and write all tables, where nothing else is said here.")
    typer.echo(f"functions: {', '.join(may.functions) or 'none'}")
    for name, said in may.relations.items():
        typer.echo(f"{name}: {', '.join(said)}")


def _may(part: str) -> May:
    relations: dict[str, list[str]] = {}
    for each in rights.relation_rights():
        if each.role == part and each.privilege is not None:
            relations.setdefault(each.name, []).append(_said(each.privilege, each.columns, each.but))
    return May(part, [each.name for each in rights.function_rights() if _calls(part, each.roles)], relations)


def _calls(part: str, roles: Iterable[str]) -> bool:
    if part == "migrator":
        return True
    return part in roles or (part == "admin" and not {"owner", "trigger"} & set(roles))


def _said(privilege: str, columns: Iterable[str] | None, but: Iterable[str] | None) -> str:
    if columns is not None:
        return f"{privilege} ({', '.join(columns)})"
    return privilege if but is None else f"{privilege} but ({', '.join(but)})"
