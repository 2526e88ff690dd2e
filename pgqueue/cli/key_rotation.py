"""`pgqueue keys rotate` and `keys status`: have old keys go out of use, and see which ones still are in use."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

import typer

from pgqueue import encryption
from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import Dsn, Json, listing
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.errors import UsageError
from pgqueue.rotating import At, Done, KeyUse, key_use
from pgqueue.rotating import rotate as rotated

# Seconds between two words about how far it is.
EVERY = 2.0


@dataclass(frozen=True, slots=True)
class KeyCount:
    """How many rows hold values of a key, in all tables and in each; `use` is writes, reads, or missing.

    Not `exact`: of the large tables a part was counted.
    """

    key: str
    use: str
    rows: int
    exact: bool
    tables: dict[str, int]


COLUMNS: Columns[KeyCount] = {
    "KEY": lambda row: row.key,
    "USE": lambda row: row.use,
    "ROWS": lambda row: f"{row.rows:,}" if row.exact else f"about {row.rows:,}",
    "TABLES": lambda row: ", ".join(f"{name} {rows:,}" for name, rows in row.tables.items()),
}


@listing
def status(dsn: Dsn = None, as_json: Json = False) -> None:
    """Count what is encrypted with which key; of tables of more than 100,000 rows a part is counted."""
    with connected(dsn) as conn:
        rows = _counted(list(key_use(conn)))
    print_list(rows, COLUMNS, as_json=as_json, empty="Nothing is encrypted.")


@telling
def rotate(
    old: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="KEY", help="The id of an old key; repeatable. Else all that do not write."),
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="PLACE", help="Go on behind this place, as it was said.")
    ] = None,
    pause: Annotated[float, typer.Option("--pause", metavar="SECS", min=0.0, help="Wait between two pages.")] = 0.0,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Have what is encrypted with old keys be encrypted with the one that writes now, beside producers and workers.

    In pages of 500 rows, each a transaction of its own. Jobs that run and rows that somebody holds are left: say it
    again, until nothing is. Ctrl-C says how to go on. Exit code 1 while something is left.
    """
    begin = _place(after)
    at: At | None = begin
    written = 0
    with connected(dsn) as conn:
        pages = rotated(conn, old, begin)
        new = encryption.writing_key().id
        with acting(conn, f"keys rotate to {new}", on=" ".join(old or ()) or None, reason=reason) as act:
            act.done = True
        try:
            for done in _telling(pages):
                at, written = done.at, written + done.written
                time.sleep(pause)
        except KeyboardInterrupt:
            said = "" if at is None else f"; go on with --after {json.dumps(json.dumps([at.table, *at.key]))}"
            say(f"{written:,} rows were written{said}")
            raise typer.Exit(Exit.FAILED) from None
        wanted = set(old or (each for each in encryption.key_ids() if each != new))
        left = [row for row in _counted(list(key_use(conn))) if row.key in wanted]
    remaining = sum(row.rows for row in left)
    tell(f"{written:,} rows are encrypted with {new} now", written=written, key=new, left=remaining)
    for row in left:
        many = f"{row.rows:,}" if row.exact else f"about {row.rows:,}"
        say(f"{many} rows are left with {row.key}: {', '.join(f'{name} {n:,}' for name, n in row.tables.items())}")
    if left:
        say("jobs that ran, and rows that somebody held, were left: say it again")
        raise typer.Exit(Exit.FAILED)


def _telling(pages: Iterator[Done]) -> Iterator[Done]:
    """The same, with a word now and then."""
    said_at, looked, written = time.monotonic(), 0, 0
    for done in pages:
        looked, written = looked + done.looked, written + done.written
        if time.monotonic() - said_at > EVERY:
            said_at = time.monotonic()
            say(f"{done.at.table}: {written:,} of {looked:,} rows so far were written")
        yield done


def _place(text: str | None) -> At | None:
    if text is None:
        return None
    try:
        match json.loads(text):
            case [str(table), *key] if all(isinstance(each, str) for each in key):
                return At(table, tuple(key))
    except ValueError:
        pass
    raise UsageError(f"--after takes a place as `keys rotate` said it, got {text!r:.80}")


def _counted(found: list[KeyUse]) -> list[KeyCount]:
    known = encryption.key_ids()
    writing = encryption.writing_key().id if known else None
    rows = []
    for key, uses in groupby(sorted(found, key=lambda use: use.key), lambda use: use.key):
        each = list(uses)
        use = "writes" if key == writing else "reads" if key in known else "missing"
        tables = {one.table: one.rows for one in each}
        rows.append(KeyCount(key, use, sum(tables.values()), all(one.exact for one in each), tables))
    return rows
