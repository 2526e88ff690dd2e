"""Which version of the schema this code works with, and whether the database has it."""

from __future__ import annotations

from dataclasses import dataclass

from pgqueue.errors import SchemaError
from pgqueue.store.connection import SyncConnection
from pgqueue.store.stamp import Stamp, read_stamp
from pgqueue.store.statement import Statement, execute, nothing, only_value, query
from pgqueue.version import __version__

# The oldest revision with which this code works, and the newest that it knows.
OLDEST_REVISION = "0020"
NEWEST_REVISION = "0021"
# The oldest code, by the newest revision that it knows, which works with the functions of this one: with the first
# release that of the one before. `pgqueue migrate` writes it into the comment, for code that meets a newer schema.
OLDEST_SERVED = "0003"
# The release before this one, and the newest revision that it knows. `pgqueue migrate --contract` leaves all that it
# uses (pgqueue/contracting.py), and tests/upgrades has it work beside this one.
PREVIOUS_RELEASE = "0.1.0"
PREVIOUS_REVISION = "0015"


def require_schema(conn: SyncConnection) -> None:
    """Raise SchemaError unless the database has a schema that this code can work with."""
    if not execute(conn, exists()):
        raise SchemaError("this database has no schema pgqueue yet; run `pgqueue migrate` on it")
    found, stamp = execute(conn, _STANDING)
    if found is None or found < OLDEST_REVISION:
        stands = "no revision" if found is None else f"revision {found}"
        raise SchemaError(
            f"the schema pgqueue is at {stands}, this code needs {OLDEST_REVISION}; run `pgqueue migrate`"
        )
    if stamp.is_older_than(__version__):
        raise SchemaError(
            f"the functions of schema pgqueue are those of {stamp.release}, older than this pgqueue {__version__};"
            " run `pgqueue migrate`"
        )
    if found > NEWEST_REVISION and not (stamp.serves and stamp.serves <= NEWEST_REVISION):
        raise SchemaError(
            f"the schema pgqueue is at revision {found}, newer than this pgqueue {__version__} (which knows up to"
            f" {NEWEST_REVISION}), and does not serve it any more; upgrade pgqueue here"
        )


def revision() -> Statement[str | None]:
    """The revision of the schema that the database has."""
    return Statement("select pg_catalog.max(version_num) from pgqueue.alembic_version", (), only_value)


_STANDING: Statement[tuple[str | None, Stamp]] = Statement(
    """
    select (select pg_catalog.max(version_num) from pgqueue.alembic_version),
           (select pg_catalog.obj_description(oid, 'pg_namespace')
            from pg_catalog.pg_namespace where nspname operator(pg_catalog.=) 'pgqueue')
    """,
    (),
    lambda rows: (rows[0][0], read_stamp(rows[0][1])),
)


def exists() -> Statement[bool]:
    """Whether the database has a revision of the schema."""
    return Statement("select pg_catalog.to_regclass('pgqueue.alembic_version') is not null", (), only_value)


def has_namespace() -> Statement[bool]:
    """Whether there is a schema pgqueue, empty or not."""
    return Statement("select to_regnamespace('pgqueue') is not null", (), only_value)


def strangers() -> Statement[list[str]]:
    """What of the schema this role should not touch, because somebody else has made it; in words, at most 3."""
    return Statement(query("strangers"), (), lambda rows: [row[0] for row in rows])


def lock_out_vacuum() -> Statement[None]:
    """Lock all tables against vacuum alone; autovacuum gives way after deadlock_timeout."""
    return Statement(query("lock_out_vacuum"), (), nothing)


def lock_all() -> Statement[None]:
    """Lock all views and tables against everybody, in the order in which all do."""
    return Statement(query("lock_all"), (), nothing)


def fix_search_paths() -> Statement[None]:
    """Have every function call pg_catalog alone, whatever release it is of."""
    return Statement(query("fix_search_paths"), (), nothing)


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table or view, and about how many rows it has."""

    name: str
    is_view: bool
    rows: int


def table_sizes() -> Statement[list[TableSize]]:
    """How large every table is, as the planner would guess it; reads no table."""
    return Statement(query("table_sizes"), (), lambda rows: [TableSize(*row) for row in rows])


def is_there(kind: str, name: str, table: str) -> Statement[bool]:
    """Whether a function, relation, type, column or constraint is there; of the last two with their table."""
    return Statement(query("is_there"), (kind, name, table), only_value)


def live_releases() -> Statement[list[tuple[str | None, int]]]:
    """The releases of pgqueue that live workers are of, and how many; None for those that have not said it yet."""
    return Statement(query("live_releases"), (), lambda rows: [(row[0], row[1]) for row in rows])


def lock_holders() -> Statement[list[str]]:
    """Whose transactions hold locks on them, in words; at most 3."""
    return Statement(query("lock_holders"), (), lambda rows: [row[0] for row in rows])
