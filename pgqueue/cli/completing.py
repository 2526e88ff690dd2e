"""What a shell completes beyond commands and options: names of queues and tasks, if the database says them at once.

Nothing is said where it does not: who presses Tab waits for an answer, and cannot read an error.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import psycopg

VARIABLE = "PGQUEUE_DSN"
MOST = 200
# Of a connection and of an answer.
SECONDS, MILLISECONDS = 2, 500


def queue_names(context: typer.Context, incomplete: str) -> list[str]:
    """Queues that begin so: those that have jobs, and those in which something ended lately."""
    from pgqueue.store import execute, queues, suggesting

    def ask(conn: psycopg.Connection[Any]) -> Iterable[str | None]:
        yield from execute(conn, queues.first(MOST))
        yield from (queue for queue, _ in execute(conn, suggesting.words()))

    return _known(context, incomplete, ask)


def task_names(context: typer.Context, incomplete: str) -> list[str]:
    """Tasks that begin so: those that workers know, and those of which something ended lately."""
    from pgqueue.store import execute, suggesting

    return _known(context, incomplete, lambda conn: (task for _, task in execute(conn, suggesting.words())))


def _known(context: typer.Context, incomplete: str, ask: Any) -> list[str]:
    with contextlib.suppress(Exception), _connected(context) as conn:
        names = {name for name in ask(conn) if name and name.startswith(incomplete) and name.isprintable()}
        return sorted(names)[:MOST]
    return []


@contextlib.contextmanager
def _connected(context: typer.Context) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database that was named; an embedded one is not started for this."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    dsn = next((each.params["dsn"] for each in _above(context) if each.params.get("dsn")), os.environ.get(VARIABLE))
    if isinstance(dsn, list):
        dsn = dsn[0]
    if not dsn or dsn.startswith("embedded:"):
        raise LookupError("no database to ask")
    address = make_conninfo(dsn, connect_timeout=SECONDS, application_name="pgqueue completion")
    with psycopg.connect(address, autocommit=True) as conn:
        conn.execute(f"set statement_timeout = {MILLISECONDS}")
        conn.execute("set search_path = pg_catalog")
        conn.execute("set default_transaction_read_only = on")
        yield conn


def _above(context: Any) -> Iterator[Any]:
    while context is not None:
        yield context
        context = context.parent
