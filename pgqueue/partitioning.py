"""Give the history partitions, beside whoever is at work: each table is copied into partitions, then takes its place.

Every step is a transaction of its own, and begins where the last one that was committed ended: what is cut off goes on
with the next call. Triggers keep the copy like the table meanwhile: docs/design/history-by-days.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pgqueue.beside import builder
from pgqueue.database import address_of
from pgqueue.errors import SchemaError
from pgqueue.giving_way import lock_everything, patiently, statement
from pgqueue.store import Statement, execute, partitions
from pgqueue.store.connection import open_connection
from pgqueue.store.partitions import TABLES, Copying
from pgqueue.store.session import OwnConnection

# Rows of a batch: whoever deletes or changes history waits for one, some 50 ms.
BATCH = 2000
# Of the time that a batch took, this much is left to others before the next.
REST = 0.5
# Settlements wait no longer than this behind a step that waits for a lock.
LOCK_TIMEOUT = "300ms"


def partition_history(dsn: str, tell: Callable[[Copying], None] = lambda _: None) -> bool:
    """Partition `attempts` by day and `dead_jobs` by month; False if they are. The schema must be this code's.

    Needs room for a second copy of each. `tell` hears how far it is, after each batch. One at a time; others wait.
    Raises SchemaError if somebody's trigger, view or the like is in the way, or a table stays locked.
    """
    with builder(dsn) as conn:
        for table in TABLES:
            _drop_before(dsn, table)
        wanted = [table for table in TABLES if not execute(conn, partitions.is_partitioned(table))]
        for table in wanted:
            _refuse_obstacles(conn, table)
        for table in wanted:
            _partition(conn, dsn, table, tell)
        for table in TABLES:
            _step(dsn, partitions.make_spans(table))
    return bool(wanted)


def _partition(conn: OwnConnection, dsn: str, table: str, tell: Callable[[Copying], None]) -> None:
    while True:
        _step(dsn, partitions.begin_copy(table))
        rows = BATCH
        while rows == BATCH:
            began = time.monotonic()
            rows = _copy(conn, dsn, table)
            tell(execute(conn, partitions.copying(table)))
            time.sleep(REST * (time.monotonic() - began))
        # Autovacuum may be at it, and gives way to who waits long enough; nobody at work queues up behind this lock.
        execute(conn, statement("set lock_timeout = 0"))
        execute(conn, partitions.analyze_copy(table))
        if patiently(dsn, lambda: _take_its_place(dsn, table)):
            break
        # A column came or went meanwhile.
        _step(dsn, partitions.forget_copies())
    _drop_before(dsn, table)


def _refuse_obstacles(conn: OwnConnection, table: str) -> None:
    found = execute(conn, partitions.obstacles(table))
    if found:
        raise SchemaError(
            f"pgqueue.{table} cannot be copied as it is: {'; '.join(found)} of somebody's would be left behind."
            " Drop that, partition the history, then make it anew"
        )


def _copy(conn: OwnConnection, dsn: str, table: str) -> int:
    """Copy a batch; answers how many rows it had."""
    execute(conn, statement(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
    return patiently(dsn, lambda: execute(conn, partitions.copy_history(table, BATCH)))


def _step(dsn: str, step: Statement[None]) -> None:
    """Do something that locks a table for a moment, in a transaction of its own."""

    def act() -> None:
        with open_connection(address_of(dsn), "migrate", autocommit=False, deadline=None) as conn, conn.transaction():
            execute(conn, statement(OWN_PATH))
            execute(conn, statement(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
            execute(conn, step)

    patiently(dsn, act)


def _take_its_place(dsn: str, table: str) -> bool:
    with open_connection(address_of(dsn), "migrate", autocommit=False, deadline=None) as conn, conn.transaction():
        execute(conn, statement(OWN_PATH))
        lock_everything(conn)
        return execute(conn, partitions.end_copy(table))


def _drop_before(dsn: str, table: str) -> None:
    _step(dsn, partitions.drop_before(table))


OWN_PATH = "set local search_path = pg_catalog, pg_temp"
