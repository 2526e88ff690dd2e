"""Change tables beside whoever is at work: wait for locks briefly, give way, and try again.

The order of locks, and why nobody's query is ended by it: docs/design/migrating-beside-others.md.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
import sqlalchemy
from psycopg import errors

from pgqueue.database import address_of
from pgqueue.errors import SchemaError
from pgqueue.store import Statement, execute
from pgqueue.store.connection import SyncConnection, open_connection
from pgqueue.store.schema import lock_all, lock_holders, lock_out_vacuum
from pgqueue.store.statement import nothing, only_value

# Claims wait at most this long behind a migration that waits for locks, and no longer than half of deadlock_timeout:
# PostgreSQL looks for a deadlock after that, and would end whoever looks first.
LOCK_TIMEOUT = "2s"
TRIES = 60

T = TypeVar("T")


def patiently(dsn: str, act: Callable[[], T]) -> T:
    """Do something that others may be in the way of, until they are not; what it began was rolled back each time.

    Raises SchemaError, with who holds what, if a table stays locked.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return act()
        except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
            if not isinstance(getattr(error, "orig", error), _PASSING):
                raise
            if attempt == TRIES:
                raise SchemaError(
                    f"tables of pgqueue stayed locked through {TRIES} tries of at most {LOCK_TIMEOUT}{_holders(dsn)};"
                    " look for long transactions in pg_stat_activity, then run `pgqueue migrate` again"
                ) from error
            time.sleep(random.uniform(0.1, 0.5))
    raise AssertionError("unreachable: the loop returns or raises")


# Somebody else was making the schema at the same moment, or had a lock: nothing was done.
_MADE = errors.DuplicateSchema | errors.UniqueViolation
_PASSING = errors.LockNotAvailable | errors.QueryCanceled | errors.DeadlockDetected | _MADE


def _holders(dsn: str) -> str:
    with open_connection(address_of(dsn), "migrate", autocommit=True, deadline=None) as conn:
        found = execute(conn, lock_holders())
    return "".join(f"; {each}" for each in found)


# Of deadlock_timeout: whoever waits for our locks is let go before PostgreSQL looks for a deadlock. Where functions and
# views alone are made there are two views, each of which waits.
EVERYTHING, A_VIEW = 0.8, 0.4


def lock_everything(conn: SyncConnection) -> None:
    """Lock every view and table, all of them soon or none."""
    execute(conn, statement("set local lock_timeout = '5s'"))
    execute(conn, lock_out_vacuum())
    execute(conn, statement("set local lock_timeout = 0"))
    limit(conn, "statement_timeout", EVERYTHING)
    execute(conn, lock_all())
    execute(conn, statement("set local statement_timeout = 0"))


def limit(conn: SyncConnection, setting: str, share: float) -> None:
    """From now on wait no longer than a share of deadlock_timeout: who waits for our locks then meets no deadlock."""
    execute(conn, statement(_LIMIT.format(setting=setting, share=share, limit=LOCK_TIMEOUT)))


_SHARE = """
ceil(1000 * extract(epoch from least(current_setting('deadlock_timeout')::interval * {share}, interval '{limit}')))
"""
_LIMIT = f"select set_config('{{setting}}', ({_SHARE})::text, true)"


def longest_wait(conn: SyncConnection, *, everything: bool) -> float:
    """For how many seconds a try waits for its locks, and others behind it: of everything, or of one view."""
    text = _SHARE.format(share=EVERYTHING if everything else A_VIEW, limit=LOCK_TIMEOUT)
    return float(execute(conn, Statement(f"select {text} / 1000", (), only_value)))


def statement(text: str) -> Statement[None]:
    """A statement that answers nothing."""
    return Statement(text, (), nothing)
