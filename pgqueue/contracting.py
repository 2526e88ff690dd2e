"""Drop what no code needs any more: the second half of "expand and contract" (docs/design/expand-and-contract.md).

A migration only adds. What it makes superfluous it names in CONTRACT, and that is dropped here, a release later and
only when asked: then the release before this one, which may still run, does without it, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgqueue import migrate, revisions
from pgqueue.errors import SchemaError
from pgqueue.giving_way import lock_everything, patiently
from pgqueue.store import execute
from pgqueue.store.connection import SyncConnection
from pgqueue.store.functions import own_stamp
from pgqueue.store.schema import PREVIOUS_RELEASE, PREVIOUS_REVISION, is_there, live_releases
from pgqueue.version import numbers


def contract(dsn: str) -> list[str]:
    """Drop what only releases before the last one used; answers the statements that had something to drop.

    From then on the schema serves no code older than that, which says so when it starts. Raises SchemaError while a
    worker of such a release lives, or where the schema is not at this code's revision; DatabaseUnreachable.
    """

    def act() -> list[str]:
        with migrate.opened(dsn) as conn, conn.begin():
            before = migrate.take_turn(conn)
            if before.state != "current" or not before.functions:
                raise SchemaError("the schema is not this code's yet; run `pgqueue migrate` first")
            _refuse_older_workers(conn)
            statements = superfluous(conn)
            if any(re.match("(drop|alter) (table|view|index) ", each) for each in statements):
                lock_everything(conn)
            for statement in statements:
                migrate.run(conn, statement)
            migrate.run(conn, own_stamp(PREVIOUS_REVISION).written())
            return statements

    return patiently(dsn, act)


def superfluous(conn: SyncConnection) -> list[str]:
    """What `contract` would drop of what is there: statements of the revisions that the last release knows."""
    contracts = [each for revision in revisions.coming(None, PREVIOUS_REVISION) for each in revision.contract]
    return [each for each in contracts if execute(conn, is_there(*dropped(each)))]


def dropped(statement: str) -> tuple[str, str, str]:
    """What a statement of CONTRACT drops: its kind, its name, and the table that it is of, or ''.

    Raises ValueError where it is no such statement: it would not be known whether there is anything to drop.
    """
    for kind, form in _FORMS.items():
        if found := form.fullmatch(statement.strip()):
            return kind, found["name"], found.groupdict().get("table", "")
    raise ValueError(f"CONTRACT drops by `drop ... if exists pgqueue....` or `alter table`, got {statement!r}")


_FORMS = {
    "function": re.compile(r"drop function if exists (?P<name>pgqueue\.\w+\([^)]*\))"),
    "relation": re.compile(r"drop (?:table|view|index|sequence) if exists (?P<name>pgqueue\.\w+)"),
    "type": re.compile(r"drop type if exists (?P<name>pgqueue\.\w+)"),
    "column": re.compile(r"alter table (?P<table>pgqueue\.\w+) drop column if exists (?P<name>\w+)"),
    "constraint": re.compile(r"alter table (?P<table>pgqueue\.\w+) drop constraint if exists (?P<name>\w+)"),
}


def _refuse_older_workers(conn: SyncConnection) -> None:
    older = [each for each in execute(conn, live_releases()) if _is_older(each[0])]
    if older:
        raise SchemaError(
            f"workers of releases before {PREVIOUS_RELEASE} live, or have not said yet of which they are"
            f" ({told(older)}); stop them first: pgqueue workers list -v"
        )


def _is_older(release: str | None) -> bool:
    return release is None or numbers(release) < numbers(PREVIOUS_RELEASE)


def told(releases: Sequence[tuple[str | None, int]]) -> str:
    """How many workers are of which release, in words."""
    return ", ".join(f"{count} of {release or 'an unknown one'}" for release, count in releases)
