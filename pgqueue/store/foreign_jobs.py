"""Jobs that wait in the table of another queue, in this same database: read, and taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from psycopg.sql import Identifier

from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, nothing, query

Queue = Literal["procrastinate", "django_tasks_db", "pgqueuer"]
ForeignId = int | UUID


class Table(NamedTuple):
    """The name of a table."""

    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class ForeignJob:
    """A job as it stands in another queue's table.

    `content` are its arguments as that queue writes them. `run_at` None is at once. `lock`: one of those that have it
    runs at a time; `key`: one of those that have it waits at a time.
    """

    id: ForeignId
    name: str
    content: bytes | None
    queue: str | None
    priority: int
    run_at: datetime | None
    lock: str | None
    key: str | None


def schemas_with(table: str) -> Statement[list[str]]:
    """The schemas that have a table of this name."""
    return Statement(query("foreign/schemas"), (table,), lambda rows: [row[0] for row in rows])


def begin_reading() -> Statement[None]:
    """Until end_reading() no plan may sort all that waits; outside a transaction for nothing."""
    sort = "select pg_catalog.set_config('enable_sort', 'off', true), pg_catalog.set_config('jit', 'off', true)"
    return Statement(sort, (), nothing)


def end_reading() -> Statement[None]:
    """Plans may sort again."""
    return Statement("select pg_catalog.set_config('enable_sort', 'on', true)", (), nothing)


def waiting(
    of: Queue, table: Table, behind: ForeignId | None, limit: int, *, hold: bool
) -> Statement[list[ForeignJob]]:
    """The next jobs that wait. With `hold` nobody else takes them until the transaction ends, and those that others
    hold are passed by."""
    text = query(f"foreign/{of}").format(table=_identifier(table))
    return Statement(f"{text}{_HOLD if hold else ''}", (behind, limit), _read)


def begin_taking(table: Table) -> Statement[None]:
    """Until the transaction ends names mean what that queue's triggers mean by them. Last of all: anybody who may
    create something in its schema could have given them another meaning for what stands without a schema."""
    path = "select pg_catalog.set_config('search_path', pg_catalog.quote_ident($1::pg_catalog.text), true)"
    return Statement(path, (table.schema,), nothing)


def take_out(of: Queue, table: Table, ids: Sequence[ForeignId]) -> Statement[None]:
    """waiting there -> (gone). For jobs that this transaction holds."""
    if of == "pgqueuer":
        log = _identifier(Table(table.schema, f"{table.name}_log"))
        return Statement(
            query("foreign/pgqueuer_gone").format(table=_identifier(table), log=log), (list(ids),), nothing
        )
    kind = "uuid" if of == "django_tasks_db" else "int8"
    text = f"delete from {_identifier(table)} where id operator(pg_catalog.=) any ($1::pg_catalog.{kind}[])"
    return Statement(text, (list(ids),), nothing)


_HOLD = "for update skip locked"


def _identifier(table: Table) -> str:
    return Identifier(*table).as_string(None)


def _read(rows: Rows) -> list[ForeignJob]:
    return [ForeignJob(*row) for row in rows]
