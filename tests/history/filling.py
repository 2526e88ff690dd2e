"""History of some days ago, as it was written then; and what a database has of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.factories import Conn

ATTEMPT = """
insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, created_at, finished_at, args,
                              workflow_id)
values (%s, %s, 1, %s, 'default', 'a:b', %s, %s, '{}', %s)
"""
DEAD = """
insert into pgqueue.dead_jobs (id, died_at, run_at, created_at, claim, priority, attempt, crashes, queue, target, args,
                               reason)
values (%(id)s, %(at)s, %(at)s, %(at)s, 1, 5, 1, 0, 'default', 'a:b', '{}', 'exhausted')
"""


def ago(days: float) -> datetime:
    """The moment so many days before now."""
    return datetime.now(UTC) - timedelta(days=days)


def id_of(days_ago: float) -> UUID:
    """A job id as it was made some days ago."""
    milliseconds = int(ago(days_ago).timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62 | uuid4().int % 2**62)


def attempt(
    conn: Conn,
    days_ago: float,
    *,
    ended: float | None = None,
    outcome: str = "succeeded",
    job_id: UUID | None = None,
    claim: int = 1,
    workflow: UUID | None = None,
) -> UUID:
    """An attempt at a job that was made some days ago, and ended at once, or `ended` days ago."""
    made = job_id or id_of(days_ago)
    conn.execute(ATTEMPT, [made, claim, outcome, ago(days_ago), ago(days_ago if ended is None else ended), workflow])
    return made


def dead(conn: Conn, days_ago: float, *, died: float | None = None) -> UUID:
    """A dead job that was made some days ago, with its attempt; it died at once, or `died` days ago."""
    made = attempt(conn, days_ago, ended=died, outcome="failed")
    conn.execute(DEAD, {"id": made, "at": ago(days_ago if died is None else died)})
    return made


def fill(conn: Conn, rows: int, days: float = 7) -> None:
    """Attempts at as many jobs, evenly over the last days; every twentieth failed once before."""
    conn.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, finished_at, args, labels)"
        " select pgqueue.uuid7_floor(made.at), again.n, again.n,"
        "  case again.n when 2 then 'succeeded' else 'failed' end, 'default', 'a:b', made.at, '[1]', '{\"a\": 1}'"
        " from (select i, now() - i * %s::interval / %s as at from generate_series(1, %s) as i) as made"
        " cross join generate_series(case when made.i %% 20 = 0 then 1 else 2 end, 2) as again (n)",
        [timedelta(days=days), rows, rows],
    )


def everything(conn: Conn, table: str) -> dict[str, Any]:
    """All rows of a table, by their keys."""
    key = "job_id || ' ' || claim" if table == "attempts" else "id::text"
    return dict(conn.execute(f"select {key}, to_jsonb(whole) from pgqueue.{table} as whole").fetchall())


def names(conn: Conn, table: str = "attempts", kind: str | None = None) -> set[str]:
    """The partitions of a table."""
    rows = conn.execute("select name from pgqueue.partitions_of(%s) where kind = coalesce(%s, kind)", [table, kind])
    return {row[0] for row in rows}


def day(days_ago: float) -> str:
    """The partition of the attempts at jobs that were made then."""
    return f"attempts_{ago(days_ago):%Y%m%d}"
