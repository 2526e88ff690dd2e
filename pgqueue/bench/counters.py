"""What PostgreSQL counts by itself: WAL written, transactions committed, row versions that died."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pgqueue.bench.site import Conn

# Sessions report what they did when they end, or within a second; older servers by a process of its own.
PATIENCE = 10.0

QUESTION = """
select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8,
       (select xact_commit from pg_stat_database where datname = current_database()),
       (select coalesce(sum(n_tup_upd + n_tup_del), 0)::bigint
        from pg_stat_user_tables where schemaname = 'pgqueue'),
       (select n_tup_del from pg_stat_user_tables where relid = 'pgqueue.jobs'::regclass)
"""


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters at one moment, or how far they went between two. WAL is that of the whole server."""

    wal_bytes: float
    transactions: int
    dead_rows: int
    deleted: int

    def __sub__(self, other: Counters) -> Counters:
        return Counters(
            self.wal_bytes - other.wal_bytes,
            self.transactions - other.transactions,
            self.dead_rows - other.dead_rows,
            self.deleted - other.deleted,
        )


def counters(conn: Conn, *, deleted: int = 0) -> Counters:
    """The counters, as soon as they know of so many rows deleted from `jobs`."""
    deadline = time.monotonic() + PATIENCE
    while True:
        row = conn.execute(QUESTION).fetchone()
        assert row is not None
        if row[3] >= deleted or time.monotonic() > deadline:
            return Counters(*row)
        time.sleep(0.1)
