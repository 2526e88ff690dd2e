"""The database of the demo: an embedded PostgreSQL in a folder of its own, or a part of the user's, left as found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgqueue import embedded
from pgqueue.demo.example import QUEUE, TARGET, Conn, schema_sql
from pgqueue.errors import UsageError
from pgqueue.migrate import migrate, status
from pgqueue.store import execute, workers
from pgqueue.store.connection import open_connection
from pgqueue.store.schema import require_schema

SCHEMA = "pgqueue_demo"
# "demo" in ASCII: the advisory lock of the one demo in a database.
DEMO_LOCK = 0x64656D6F


@contextmanager
def served(dsn: str | None, folder: Path) -> Iterator[str]:
    """The DSN as libpq reads it; None is a new embedded PostgreSQL in `folder`, stopped in the end."""
    if dsn is not None and not embedded.is_embedded(dsn):
        yield dsn
    elif dsn is not None:
        with embedded.open(dsn) as database:
            yield database.dsn
    else:
        try:
            with embedded.open(f"embedded:{folder}") as database:
                yield database.dsn
        finally:
            embedded.stop(folder)


@contextmanager
def demo_schema(dsn: str, first: UUID, *, keep: bool) -> Iterator[tuple[str, Conn]]:
    """A schema with the example's tables: the DSN that finds them, and a connection; dropped in the end unless `keep`.

    Jobs whose id is above `first` are this run's. Raises UsageError if somebody else would meddle with them.
    """
    if status(dsn).state == "missing":
        migrate(dsn)
    given = conninfo_to_dict(dsn).get("options", "")
    inside = make_conninfo(dsn, options=f"{given} -c search_path={SCHEMA}".strip())
    with open_connection(inside, "demo") as conn:
        require_schema(conn)
        _require_alone(conn)
        _clear(conn)
        with conn.transaction():
            conn.execute(f"create schema {SCHEMA}")
            conn.execute(f"create table {SCHEMA}.run as select %s::uuid as first", [first])
            conn.execute(schema_sql())
        try:
            yield inside, conn
        finally:
            if not keep and not conn.closed:
                _clear(conn)


def _require_alone(conn: Conn) -> None:
    (free,) = conn.execute("select pg_try_advisory_lock(%s)", [DEMO_LOCK]).fetchone() or (False,)
    if not free:
        raise UsageError("another `pgqueue demo` runs on this database; wait for its end, or leave --dsn out")
    for worker in execute(conn, workers.rows()):
        if worker.alive and (worker.queues is None or QUEUE in worker.queues):
            raise UsageError(
                f"worker {worker.id} (pid {worker.pid} on {worker.host}) serves the queue {QUEUE} and would take the"
                " demo's jobs; stop it, or leave --dsn out"
            )


def _clear(conn: Conn) -> None:
    """Remove all that a run wrote: this one, or an earlier one that was kept or killed."""
    if conn.execute("select to_regclass(%s)", [f"{SCHEMA}.run"]).fetchone() == (None,):
        return
    mine = "queue = %s and target = %s"
    conn.execute(f"delete from pgqueue.jobs where {mine}", [QUEUE, TARGET])
    conn.execute(f"delete from pgqueue.dead_jobs where {mine}", [QUEUE, TARGET])
    # By id, in which time runs: the history of a whole database would be long to search.
    recent = f"job_id > (select first from {SCHEMA}.run)"
    conn.execute(f"delete from pgqueue.attempts where {recent} and {mine}", [QUEUE, TARGET])
    conn.execute(f"drop schema {SCHEMA} cascade")
