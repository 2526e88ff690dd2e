"""A limit as people see it: in a table, in one line, and whole."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from pgqueue.answers import limit_answer
from pgqueue.cli.output import Columns, paint, print_json
from pgqueue.printable import in_one_line
from pgqueue.store.limits import LimitRow, LimitUse

# As limits.sql and limit_use.sql count.
MOST_COUNTED = 1_000

COLUMNS: Columns[LimitRow] = {
    "OF": lambda row: row.scope,
    "NAME": lambda row: row.name,
    "CONCURRENCY": lambda row: row.concurrency,
    "RATE": lambda row: row.rate,
    "BURST": lambda row: row.burst,
    "WEIGHT": lambda row: row.weight if row.weight != 1 else None,
    "ORDER": lambda row: _order(row),
    "IN USE": lambda row: number_of(row.in_use) if row.concurrency is not None else None,
    "DECLARED BY": lambda row: row.source,
}


def in_words(row: LimitRow) -> str:
    """All that a limit says, in a line."""
    return ", ".join(_said(row)) or "no limit"


def number_of(count: int | None) -> str | None:
    """A number that was counted up to a bound."""
    return None if count is None else f"{count:,}" if count < MOST_COUNTED else f"{MOST_COUNTED:,} or more"


def print_limit(name: str, row: LimitRow, use: LimitUse | None, *, as_json: bool) -> None:
    """Print the limit that rules what is named, and how much of it is in use."""
    if as_json:
        print_json(limit_answer(name, row, use))
        return
    facts = {
        row.scope: name,
        "ruled by": row.name if row.name != name else None,
        "limit": in_words(row),
        "in use": None if use is None or row.concurrency is None else number_of(use.shares),
        "started": None if use is None or use.starts is None else f"{use.starts:,} of {row.rate}",
        "waiting": None if use is None or not use.waiting else number_of(use.waiting),
        "declared by": row.source,
        "changed": f"{row.changed_at:%Y-%m-%d %H:%M:%S %z}",
    }
    for fact, value in facts.items():
        if value is not None:
            typer.echo(f"{paint(fact.ljust(12), 'bold')} {in_one_line(value)}")


def _said(row: LimitRow) -> Iterator[str]:
    if row.concurrency is not None:
        yield f"concurrency {row.concurrency}"
    if row.rate is not None:
        yield f"rate {row.rate}"
    if row.burst is not None:
        yield f"burst {row.burst}"
    if row.weight != 1:
        yield f"weight {row.weight}"
    if (order := _order(row)) is not None:
        yield order


def _order(row: LimitRow) -> str | None:
    if not row.ordered:
        return None
    return "ordered, stops at a dead job" if row.on_dead == "stop" else "ordered"
