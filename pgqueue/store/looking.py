"""Questions that people and programs ask beside the work: each sees one moment, changes nothing, and is soon over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")

# A question is bounded by what it reads; this is the net below, for a slow disk or a busy server.
PATIENCE = timedelta(milliseconds=800)
# Where nothing less could be asked instead.
LONGER = timedelta(seconds=2)
# Plans are pinned, whatever statistics say, or their absence: an index serves each question. Compiling one takes longer
# than answering it. Values are known when a plan is made, so that filters nobody asked for vanish.
_PLANS = """
set local plan_cache_mode = force_custom_plan;
set local enable_seqscan = off;
set local enable_bitmapscan = off;
set local max_parallel_workers_per_gather = 0;
set local jit = off;
"""
_SETTINGS = f"""
set transaction isolation level repeatable read, read only;
set local search_path = pg_catalog;
set local lock_timeout = '100ms';
{_PLANS}
"""


def plan_soundly(conn: psycopg.Connection[Any]) -> None:
    """Plan as questions are planned until the transaction open on `conn` ends."""
    conn.execute(_PLANS)


def look(
    conn: psycopg.Connection[Any], question: Callable[[psycopg.Connection[Any]], T], patience: timedelta = PATIENCE
) -> T | None:
    """What `question` answers in a read-only transaction of its own; None if a statement in it took too long.

    `conn` is a connection in autocommit mode. Waits 0.1 s for a lock that somebody holds on a table, and no longer.
    """
    milliseconds = round(patience.total_seconds() * 1000)
    try:
        with conn.transaction():
            conn.execute(f"{_SETTINGS}set local statement_timeout = {milliseconds}")
            return question(conn)
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        return None
