"""From a DSN, or the variable PGQUEUE_DSN, to a database; also to an embedded one, which is started on demand."""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path
from typing import Any

import psycopg

from pgqueue import embedded
from pgqueue.context import home_database
from pgqueue.errors import UsageError
from pgqueue.store.dsn import read
from pgqueue.store.unreachable import unreachable

VARIABLE = "PGQUEUE_DSN"


def connect(dsn: str | None = None, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of psycopg's to `dsn`, else to the database that PGQUEUE_DSN names; `embedded:` is understood.

    It is yours, as if from psycopg.connect(): `with pgqueue.connect() as conn:` commits and closes it. An embedded
    PostgreSQL is started if need be, and runs as long as this process does. Raises UsageError if no database is named,
    DatabaseUnreachable, EmbeddedError.
    """
    address = dsn_of(dsn, "connect()")
    given = read(address)
    try:
        return psycopg.connect(address, autocommit=autocommit)
    except psycopg.Error as error:
        trouble = unreachable(given, error)
        raise trouble from trouble.__cause__


def dsn_of(dsn: str | None, caller: str) -> str:
    """The DSN as libpq reads it, of the database that is named, else of the one this process is at home in.

    Raises UsageError if there is none.
    """
    named = dsn or home_database() or os.environ.get(VARIABLE)
    if not named:
        raise UsageError(
            f"{caller} knows no database; give it a DSN such as postgresql://user@host/database, or set {VARIABLE}"
            " (embedded: stands for a PostgreSQL of your own, started on demand)"
        )
    return address_of(named)


def address_of(dsn: str) -> str:
    """The DSN as libpq reads it; an embedded PostgreSQL is started if need be, and runs as long as this process."""
    if not isinstance(dsn, str) or not embedded.is_embedded(dsn):
        return dsn
    folder = embedded.folder_of(dsn)
    with _opening:
        found = _opened.get(folder)
        if found is None or not embedded.status(folder).running:
            if found is not None:
                found.close()
            found = _opened[folder] = embedded.open(dsn)
        return found.dsn


@atexit.register
def leave() -> None:
    """Leave the embedded databases that this process uses; so it does at its end."""
    with _opening:
        while _opened:
            _opened.popitem()[1].close()


# The embedded databases that this process uses, until it ends: a server that stopped between two calls would take its
# time for each. Guarded by the lock.
_opened: dict[Path, embedded.Database] = {}
_opening = threading.Lock()
