"""Copying history into partitions, step by step (sql/functions/history), and what stands in the way of it."""

from __future__ import annotations

from dataclasses import dataclass

from pgqueue.store.statement import Statement, nothing, only_value, query

# In the order in which they are copied.
TABLES = ("attempts", "dead_jobs")


@dataclass(frozen=True, slots=True)
class Copying:
    """How far the copy of a table is: `copied` of about `rows` rows."""

    table: str
    copied: int
    rows: int


def is_partitioned(table: str) -> Statement[bool]:
    """Whether a table is partitioned, and new partitions can be made: not where too much lies beside them."""
    return Statement(query("is_well_partitioned"), (table,), only_value)


def partition_names(table: str) -> Statement[list[str]]:
    """The names of the partitions of a table; none if it is not partitioned. Reads the catalogue."""
    return Statement(
        "select c.relname::text from pg_catalog.pg_inherits as i join pg_catalog.pg_class as c on c.oid = i.inhrelid"
        " where i.inhparent = pg_catalog.to_regclass(pg_catalog.format('pgqueue.%I', $1::text)) order by c.relname",
        (table,),
        lambda rows: [row[0] for row in rows],
    )


def obstacles(table: str) -> Statement[list[str]]:
    """What others have made on a table that a copy would not have, in words; at most 3."""
    return Statement(query("copy_obstacles"), (table,), lambda rows: [row[0] for row in rows])


def begin_copy(table: str) -> Statement[None]:
    """Make an empty table with partitions, which is written to from now on, too. Nothing where it is there."""
    return Statement("select pgqueue.begin_copy($1)", (table,), nothing)


def copy_history(table: str, most: int) -> Statement[int]:
    """Copy the next rows; answers how many there were, fewer than `most` at the end."""
    return Statement("select pgqueue.copy_history($1, $2)", (table, most), only_value)


def copying(table: str) -> Statement[Copying]:
    """How far a copy that was begun is."""
    return Statement(query("copying"), (table,), lambda rows: Copying(table, *rows[0]))


def end_copy(table: str) -> Statement[bool]:
    """Put the copy in the place of the table; False if the table has other columns by now."""
    return Statement("select pgqueue.end_copy($1)", (table,), only_value)


def forget_copies() -> Statement[None]:
    """Give up what is copied, if anything is."""
    return Statement(query("forget_copies"), (), nothing)


def drop_before(table: str) -> Statement[None]:
    """Drop what a table was before it was copied, if that is still there."""
    return Statement(f"drop table if exists pgqueue.{table}_before", (), nothing)


def analyze_copy(table: str) -> Statement[None]:
    """Let the planner know the copy before anybody reads it."""
    return Statement(f"analyze pgqueue.{table}_copy", (), nothing)


def make_spans(table: str) -> Statement[None]:
    """Make the partitions of what is to come."""
    return Statement("select pgqueue.make_spans($1)", (table,), nothing)
