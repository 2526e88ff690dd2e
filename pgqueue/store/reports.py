"""Questions about the whole database that cost next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgqueue.store.statement import Statement, only_value, query


@dataclass(frozen=True, slots=True)
class Estimates:
    """Rows in the large tables, as the planner believes; None for one that was never analysed."""

    jobs: int | None
    dead_jobs: int | None
    attempts: int | None


def estimates() -> Statement[Estimates]:
    """How large the tables are, without counting. O(1)."""
    return Statement(query("estimates"), (), lambda rows: Estimates(*rows[0]))


def server_version() -> Statement[str]:
    """The version of PostgreSQL, such as `16.2`."""
    return Statement("show server_version", (), lambda rows: rows[0][0].split()[0])


def now() -> Statement[datetime]:
    """The time by the database's clock."""
    return Statement("select clock_timestamp()", (), only_value)
