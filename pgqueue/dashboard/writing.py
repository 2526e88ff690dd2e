"""Acts on the database: each in one transaction, soon over, and never repeated by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg

from pgqueue.dashboard.database import Busy, Conn
from pgqueue.errors import PgqueueError
from pgqueue.store.looking import plan_soundly

T = TypeVar("T")
# A row that somebody holds for longer is one to say so of.
_BOUNDS = "set local lock_timeout = '2s'; set local statement_timeout = '5s'"


class Held(Busy):
    """A row was held for too long, or the database is too busy: nothing was done."""

    def __init__(self) -> None:
        PgqueueError.__init__(self, "nothing was done: somebody holds it, or the database is too busy; try it again")


class Unsure(PgqueueError):
    """The connection broke while something was done: it may have been, or not."""

    def __init__(self) -> None:
        super().__init__("the connection broke while this was done; look whether it was before you do it again")


def written(conn: Conn, act: Callable[[Conn], T]) -> T:
    """What `act` answers, in a transaction of its own. Raises Held and Unsure."""
    try:
        with conn.transaction():
            conn.execute(_BOUNDS)
            plan_soundly(conn)
            return act(conn)
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
        raise Held from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate.startswith(("08", "57P")):
            raise Unsure from error
        raise
