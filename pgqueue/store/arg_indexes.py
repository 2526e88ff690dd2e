"""Indexes of an argument, which people make for searches: on ended and on dead jobs alone, never on those that wait."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Identifier, Literal

from pgqueue.store.statement import Statement, nothing, query

# Which tables, and the column of their jobs' ids.
TABLES = {"attempts": "job_id", "dead_jobs": "id"}
DIGITS = 10
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArgIndex:
    """An index of the argument at `path`, such as `args.user.id`; None if nobody knows which. `bytes` large."""

    path: str | None
    name: str
    table: str
    valid: bool
    bytes: int
    used: int


def listed() -> Statement[list[ArgIndex]]:
    """The indexes that people have made. Reads the catalogue."""
    return Statement(query("arg_indexes"), (), lambda rows: [ArgIndex(*row) for row in rows])


def usable_paths(found: Sequence[ArgIndex]) -> set[Path]:
    """The paths that every table has an index of, built to its end."""
    by_path: dict[str, set[str]] = {}
    for each in found:
        if each.path is not None and each.valid:
            by_path.setdefault(each.path, set()).add(each.table)
    return {path_of(path) for path, tables in by_path.items() if tables == set(TABLES)}


def path_of(text: str) -> Path:
    """`args.user.id` as the names below the arguments."""
    return tuple(text.split(".")[1:])


def name_of(table: str, path: str) -> str:
    """The name of a table's index of a path."""
    return f"{table}_arg_{hashlib.sha256(path.encode()).hexdigest()[:DIGITS]}"


def create(table: str, path: str) -> Statement[None]:
    """Build one beside whoever is at work; outside a transaction. Waits for transactions that are open."""
    text = SQL(
        "create index concurrently if not exists {} on pgqueue.{}"
        " (pgqueue.arg_text(args, {}::pg_catalog.text[]), {}) where args is not null"
    )
    names = SQL("array[{}]").format(SQL(", ").join(map(Literal, path_of(path))))
    made = text.format(Identifier(name_of(table, path)), Identifier(table), names, Identifier(TABLES[table]))
    return Statement(made.as_string(None), (), nothing)


def describe(table: str, path: str) -> Statement[None]:
    """Say of an index what it is of."""
    said = SQL("comment on index pgqueue.{} is {}").format(Identifier(name_of(table, path)), Literal(path))
    return Statement(said.as_string(None), (), nothing)


def drop(name: str, *, beside: bool = True) -> Statement[None]:
    """Drop one, beside whoever is at work; outside a transaction. Not beside them where its table has partitions."""
    words = "drop index concurrently if exists pgqueue.{}" if beside else "drop index if exists pgqueue.{}"
    return Statement(SQL(words).format(Identifier(name)).as_string(None), (), nothing)
