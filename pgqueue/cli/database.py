"""From a DSN to a connection that a command can use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgqueue.cli.errors import say
from pgqueue.cli.options import VARIABLE
from pgqueue.errors import UsageError
from pgqueue.store.connection import open_connection
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.dsn import has_secret
from pgqueue.store.dsn_files import check_all, read_file
from pgqueue.store.schema import require_schema
from pgqueue.store.session import take_any_text

if TYPE_CHECKING:
    import psycopg

# Rights of everybody on a file.
OTHERS = 0o007


@contextmanager
def connected(dsn: str | None) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit mode to a database that has the schema.

    Raises our own errors only: UsageError without a DSN, DatabaseUnreachable, SchemaError, or what the database said.
    """
    with served(dsn) as address, diagnosed(), open_connection(address, "cli", deadline=None) as conn:
        require_schema(conn)
        take_any_text(conn)
        yield conn


def named_dsns(dsns: Sequence[str], file: Path | None) -> list[str]:
    """The databases that were named by options, each once; else the one that the variable names, or none.

    Raises UsageError for a DSN, or a file of them, that cannot be read.
    """
    if dsns or file is not None:
        return check_all([*dsns, *(_of_file(file) if file is not None else ())])
    return [named] if (named := os.environ.get(VARIABLE)) else []


def _of_file(file: Path) -> list[str]:
    named = read_file(file)
    if file.stat().st_mode & OTHERS and any(map(has_secret, named)):
        say(f"warning: others on this machine may read {file}, which holds passwords; chmod 600 {file}")
    return named


@contextmanager
def served(dsn: str | None) -> Iterator[str]:
    """The DSN as libpq reads it; an embedded PostgreSQL runs as long as the block does."""
    if not dsn:
        raise UsageError(
            f"no database was named; give --dsn postgresql://user@host/database or set {VARIABLE}"
            " (embedded: stands for a PostgreSQL of your own, started on demand)"
        )
    if not dsn.startswith("embedded:"):
        yield dsn
        return
    from pgqueue import embedded

    with embedded.open(dsn) as database:
        yield database.dsn
