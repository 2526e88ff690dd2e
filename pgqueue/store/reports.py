"""Questions about the whole database that must not hurt it: bounded in time, or estimated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import psycopg

from pgqueue.store.statement import Statement, execute, nothing, query

T = TypeVar("T")

# Counting reads every live row; past this it would be felt by those who work.
PATIENCE = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Rows in the large tables, as the planner believes; None for one that was never analysed."""

    jobs: int | None
    dead_jobs: int | None
    attempts: int | None


def answer_within(conn: psycopg.Connection[Any], statement: Statement[T], limit: timedelta) -> T | None:
    """Run a statement in a transaction of its own; None if it was cancelled because it took longer than `limit`."""
    try:
        with conn.transaction():
            execute(conn, _bounded(limit))
            return execute(conn, statement)
    except psycopg.errors.QueryCanceled:
        return None


def estimates() -> Statement[Estimates]:
    """How large the tables are, without counting. O(1)."""
    return Statement(query("estimates"), (), lambda rows: Estimates(*rows[0]))


def server_version() -> Statement[str]:
    """The version of PostgreSQL, such as `16.2`."""
    return Statement("show server_version", (), lambda rows: rows[0][0].split()[0])


def _bounded(limit: timedelta) -> Statement[None]:
    milliseconds = str(round(limit.total_seconds() * 1000))
    return Statement("select set_config('statement_timeout', $1::text, true)", (milliseconds,), nothing)
