"""What takes long in a migration is built before it, beside whoever is at work: indexes, and the columns they name.

Each statement is a transaction of its own, and does nothing where it was done before: what was cut off goes on with the
next call. Nobody waits for an index that is built so; the column before it gives way to whoever has the table.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg import errors

from pgqueue.database import address_of
from pgqueue.store import Statement, execute
from pgqueue.store.connection import SyncConnection, open_connection
from pgqueue.store.partitions import partition_names
from pgqueue.store.session import OwnConnection
from pgqueue.store.statement import nothing, only_value

# Claims wait no longer than this behind a statement that waits for a lock.
LOCK_TIMEOUT = "300ms"
TRIES = 200


def build_beside(dsn: str, statements: Sequence[str]) -> None:
    """Run these statements, one builder at a time. Waits for transactions that are open, however long they take.

    Raises LockNotAvailable if a table stays locked.
    """
    if not statements:
        return
    with builder(dsn) as conn:
        for name in execute(conn, _HALF_BUILT):
            execute(conn, _run(f'drop index concurrently if exists pgqueue."{name}"'))
        for text in statements:
            build(conn, text)


@contextmanager
def builder(dsn: str) -> Iterator[OwnConnection]:
    """A connection in autocommit mode that nobody else has at the same time."""
    with open_connection(address_of(dsn), "migrate", autocommit=True, deadline=None) as conn:
        execute(conn, _run("set search_path = pg_catalog, pg_temp"))
        # Not waited for: who builds an index concurrently waits for all who wait.
        while not execute(conn, _TRY):
            time.sleep(random.uniform(0.1, 0.3))
        try:
            yield conn
        finally:
            if not conn.closed:
                execute(conn, _UNLOCK)


def build(conn: SyncConnection, text: str) -> None:
    """Run a statement; an index of a table that has partitions is built in one after the other, then in the whole."""
    asked = _INDEX.match(text)
    parts = execute(conn, partition_names(asked["table"])) if asked else []
    if not asked or not parts:
        _patiently(conn, text)
        return
    name, table, of = asked["name"], asked["table"], asked["of"]
    _patiently(conn, f'create index if not exists "{name}" on only pgqueue."{table}" {of}')
    for part in parts:
        own = part + name.removeprefix(table)
        _patiently(conn, f'create index concurrently if not exists "{own}" on pgqueue."{part}" {of}')
        _patiently(conn, f'alter index pgqueue."{name}" attach partition pgqueue."{own}"')


_INDEX = re.compile(
    r'create index concurrently if not exists "?(?P<name>\w+)"? on pgqueue\."?(?P<table>\w+)"? (?P<of>.*)', re.DOTALL
)


def _patiently(conn: SyncConnection, text: str) -> None:
    # An index waits for all who were there before; that is no lock which others queue up behind.
    timeout = "0" if "concurrently" in text else LOCK_TIMEOUT
    for attempt in range(1, TRIES + 1):
        execute(conn, _run(f"set lock_timeout = '{timeout}'"))
        try:
            execute(conn, _run(text))
        except errors.LockNotAvailable:
            if attempt == TRIES:
                raise
            time.sleep(random.uniform(0.05, 0.2))
        else:
            return


def _run(text: str) -> Statement[None]:
    return Statement(text, (), nothing)


_TRY: Statement[bool] = Statement("select pg_catalog.pg_try_advisory_lock(7700, 1)", (), only_value)
_UNLOCK: Statement[None] = Statement("select pg_catalog.pg_advisory_unlock(7700, 1)", (), nothing)
_HALF_BUILT: Statement[list[str]] = Statement(
    """
    select c.relname from pg_index as i join pg_class as c on c.oid = i.indexrelid
    join pg_class as t on t.oid = i.indrelid join pg_namespace as n on n.oid = t.relnamespace
    where n.nspname = 'pgqueue' and not i.indisvalid and c.relkind = 'i' and not c.relispartition
    """,
    (),
    lambda rows: [row[0] for row in rows],
)
