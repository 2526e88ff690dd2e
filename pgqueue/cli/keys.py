"""`pgqueue keys`: make keys to sign or encrypt jobs with, and look at those there are; none is ever shown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from pgqueue.cli.options import Json, listing, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.keyring import KeyKind, KeySource
from pgqueue.keyring.making import add_pair, add_secret

VARIABLES = ("PGQUEUE_SIGNING_KEYS", "PGQUEUE_ENCRYPTION_KEYS")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key of a source; `use` is writes, reads or expired, `age` since the day it was made."""

    id: str
    kind: KeyKind
    use: str
    made: datetime | None
    age: timedelta | None
    not_after: datetime | None
    source: str


COLUMNS: Columns[KeyRow] = {
    "ID": lambda row: row.id,
    "KIND": lambda row: row.kind,
    "USE": lambda row: row.use,
    "AGE": lambda row: row.age,
    "NOT AFTER": lambda row: row.not_after,
    "SOURCE": lambda row: row.source,
}


def _keys() -> None:
    """Make keys to sign or encrypt jobs with, and look at them. No secret is ever printed."""


group = new_group(_keys)


@group.command()
@telling
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Made for this user's eyes alone, or added to.")],
    key_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="Else today's date.")] = None,
    public: Annotated[
        Path | None,
        typer.Option("--public", metavar="FILE", help="Make a pair of Ed25519, whose public half goes there."),
    ] = None,
) -> None:
    """Add a new key to a file. The first key of a file writes; to have the new one write, move it to the top."""
    made = add_secret(file, key_id) if public is None else add_pair(file, public, key_id)
    half = f"; its public half is in {public}" if public else ""
    tell(f"{file} has the new key {made}{half}", id=made, file=str(file), public=public and str(public))


@group.command("list")
@listing
def list_keys(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="[SOURCE...]", show_default=False, help=f"Else those of {' and '.join(VARIABLES)}."),
    ] = [],  # noqa: B006, typer copies it
    as_json: Json = False,
) -> None:
    """List the keys of sources, as file:/etc/pgqueue/signing.keys, by ids: which one writes, and how old it is."""
    rows = [row for said in sources or _said() for row in _rows_of(KeySource(said))]
    print_list(
        rows, COLUMNS, as_json=as_json, empty=f"There are no keys: neither named, nor by {' or '.join(VARIABLES)}."
    )


def _said() -> list[str]:
    return [said for name in VARIABLES if (said := os.environ.get(name))]


def _rows_of(source: KeySource) -> list[KeyRow]:
    keyring, now = source.keyring(), datetime.now(UTC)
    return [
        KeyRow(
            key.id,
            key.kind,
            "expired" if key.expired(now) else "writes" if key is keyring.current else "reads",
            key.made,
            now - key.made if key.made else None,
            key.not_after,
            source.name.removeprefix("the keys of "),
        )
        for key in keyring
    ]
