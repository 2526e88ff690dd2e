"""Where encrypted values stand: tables, their keys, and the columns that hold them; read and written page by page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement

# Rows of a page that are looked at, and characters of them, but for a row that has more.
PAGE_ROWS, PAGE_CHARACTERS = 500, 8_000_000
# Rows of a table that are counted; of more a part is, and the rest is reckoned.
COUNTED = 100_000
_LOWEST = {"uuid": "00000000-0000-0000-0000-000000000000", "int": "-1", "text": "", "timestamptz": "-infinity"}


class EncryptedTable(NamedTuple):
    """A table: its primary key, as columns and types; the columns, and which rows may be written."""

    name: str
    keys: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    still: str = "true"

    @property
    def start(self) -> tuple[str, ...]:
        """In front of all rows."""
        return tuple(_LOWEST[kind] for _, kind in self.keys)


def _of_job(*more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (("job_id", "uuid"), *more)


# In the order in which what they say moves on, so that little is met too early. Jobs that run are passed by: their rows
# change hands in a moment, and come back, or end.
TABLES = (
    EncryptedTable("schedules", (("name", "text"),), (("args", "json"),)),
    EncryptedTable(
        "waiting",
        (("workflow_id", "uuid"), ("gate", "int"), ("id", "uuid")),
        (("args", "json"), ("follow_ups", "json")),
    ),
    EncryptedTable("jobs", (("id", "uuid"),), (("args", "json"), ("follow_ups", "json")), "row.worker is null"),
    EncryptedTable(
        "dead_jobs",
        (("id", "uuid"),),
        (("args", "json"), ("follow_ups", "json"), ("error", "text"), ("traceback", "text")),
    ),
    EncryptedTable("signals", (("scope", "uuid"), ("name", "text")), (("payload", "json"),)),
    EncryptedTable("steps", _of_job(("kind", "text"), ("name", "text")), (("result", "json"), ("undo", "json"))),
    EncryptedTable("checkpoints", _of_job(), (("value", "json"),)),
    EncryptedTable("progress", _of_job(), (("note", "text"),)),
    EncryptedTable("effects", (("scope", "text"), ("key", "text")), (("value", "json"),)),
    EncryptedTable("revisions", _of_job(("at", "timestamptz")), (("old_args", "json"),)),
    EncryptedTable("results", _of_job(), (("result", "json"),)),
    EncryptedTable("attempts", _of_job(("claim", "int")), (("args", "json"), ("error", "text"), ("traceback", "text"))),
    EncryptedTable("job_logs", _of_job(("claim", "int"), ("seq", "int")), (("line", "text"),)),
)


class FoundRow(NamedTuple):
    """A row by its key, and its columns that hold a value of the wanted keys; None for those that do not."""

    key: tuple[str, ...]
    texts: tuple[str | None, ...]


def page(table: EncryptedTable, pattern: str, after: Sequence[str]) -> Statement[list[FoundRow]]:
    """The rows behind a key, all of a page: most have no text. O(page log n)."""
    n = len(table.keys)
    params = (*after, pattern, PAGE_ROWS, PAGE_CHARACTERS)
    return Statement(_page(table), params, lambda rows: [FoundRow(tuple(row[:n]), tuple(row[n:])) for row in rows])


@cache
def _page(table: EncryptedTable) -> str:
    n = len(table.keys)
    names = ", ".join(f"row.{name}" for name, _ in table.keys)
    behind = ", ".join(f"${k}::pg_catalog.text::{kind}" for k, (_, kind) in enumerate(table.keys, 1))
    texts = ", ".join(f"row.{name}::text as t{k}" for k, (name, _) in enumerate(table.columns))
    sizes = " + ".join(f"coalesce(length(t{k}), 0)" for k in range(len(table.columns)))
    found = ", ".join(f"case when t{k} ~ ${n + 1}::pg_catalog.text then t{k} end" for k in range(len(table.columns)))
    bare = ", ".join(name for name, _ in table.keys)
    told = ", ".join(f"{name}::text" for name, _ in table.keys)
    return f"""
    with near as materialized (
      select {names}, {texts} from pgqueue.{table.name} as row
      where ({names}) > ({behind})
      order by {names} limit ${n + 2}::int
    ), sized as (
      select near.*, sum({sizes}) over (order by {bare} rows between unbounded preceding and 1 preceding) as before
      from near
    )
    select {told}, {found} from sized where before is null or before < ${n + 3}::bigint order by {bare}
    """


def rewrite(table: EncryptedTable, rows: Sequence[tuple[FoundRow, Sequence[str | None]]]) -> Statement[int]:
    """Write other texts in place of those of rows, where nobody has changed or holds them; how many. O(rows log n)."""
    keys = [[row.key[k] for row, _ in rows] for k in range(len(table.keys))]
    olds = [[row.texts[k] for row, _ in rows] for k in range(len(table.columns))]
    news = [[texts[k] for _, texts in rows] for k in range(len(table.columns))]
    return Statement(_rewrite(table), (*keys, *olds, *news), lambda answer: int(answer[0][0]))


@cache
def _rewrite(table: EncryptedTable) -> str:
    keys, columns = table.keys, table.columns
    names = [f"k{k}" for k in range(len(keys))]
    names += [f"o{k}" for k in range(len(columns))] + [f"n{k}" for k in range(len(columns))]
    arrays = ", ".join(f"unnest(${k}::text[])" for k in range(1, len(names) + 1))
    same = " and ".join(f"row.{name} = told.k{k}::{kind}" for k, (name, kind) in enumerate(keys))
    unchanged = " and ".join(
        f"(told.o{k} is null or row.{name}::text = told.o{k})" for k, (name, _) in enumerate(columns)
    )
    held = " and ".join(f"row.{name} = held.k{k}::{kind}" for k, (name, kind) in enumerate(keys))
    values = ", ".join(f"{name} = coalesce(held.n{k}::{kind}, row.{name})" for k, (name, kind) in enumerate(columns))
    return f"""
    with told as materialized (
      select * from rows from ({arrays}) as told ({", ".join(names)})
    ), held as materialized (
      select told.*
      from told
      cross join lateral (
        select from pgqueue.{table.name} as row
        where {same} and {unchanged} and {table.still}
        for no key update skip locked) as mine
    ), written as (
      update pgqueue.{table.name} as row set {values} from held where {held} returning 1
    )
    select count(*) from written
    """


class Counted(NamedTuple):
    """How many rows hold a value of a key; not `exact`: reckoned from a part of them."""

    key: str
    rows: int
    exact: bool


def estimate(table: EncryptedTable) -> Statement[int]:
    """About how many rows a table has, all its partitions together."""
    sql = """
    select coalesce(sum(greatest(class.reltuples, 0)), 0)::bigint
    from pg_partition_tree($1::regclass) as tree
    join pg_class as class on class.oid = tree.relid
    """
    return Statement(sql, (f"pgqueue.{table.name}",), lambda rows: int(rows[0][0]))


def count(table: EncryptedTable, estimated: int) -> Statement[list[Counted]]:
    """How many rows of a table hold values of which key: of COUNTED rows, about, if it has more. Reads these."""
    share = 100.0 if estimated <= COUNTED else max(0.001, 100.0 * COUNTED / estimated)
    exact = share == 100.0

    def read(rows: Rows) -> list[Counted]:
        return [Counted(key, n if exact else round(n * 100 / share), exact) for key, n in rows]

    return Statement(_count(table), (share,), read)


@cache
def _count(table: EncryptedTable) -> str:
    texts = ", ".join(f"row.{name}::text" for name, _ in table.columns)
    return f"""
    select one.key, count(*)
    from pgqueue.{table.name} as row tablesample system ($1::float8)
    cross join lateral (
      select distinct found[1] as key
      from regexp_matches(concat_ws(' ', {texts}), '"encrypted:([A-Za-z0-9._-]{{1,40}})\\\\*"', 'g') as found) as one
    group by one.key
    """


def holding(key_ids: Sequence[str]) -> str:
    """The pattern of a text that holds a value of one of these keys."""
    ids = "|".join(key_id.replace(".", r"\.") for key_id in key_ids)
    return rf'"encrypted:({ids})\\*"'
