"""Set the schema up or bring it up to date.

Tables and indexes change in versioned migrations. Functions and views are repeatable: each lives in its own file and
all of them are re-applied when any has changed. Everything happens in one transaction, by one migrator at a time, which
touches nothing that others have made and gives way to whoever is at work: docs/design/migrating-beside-others.md.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import sqlalchemy
from sqlalchemy.pool import NullPool

from pgqueue import giving_way, revisions
from pgqueue.beside import build_beside
from pgqueue.database import address_of
from pgqueue.errors import SchemaError
from pgqueue.giving_way import A_VIEW, limit, lock_everything, patiently
from pgqueue.granting import become_migrator, give
from pgqueue.store import audit, execute, tenants
from pgqueue.store.connection import open_connection
from pgqueue.store.functions import own_stamp, repeatables, serves
from pgqueue.store.partitions import forget_copies
from pgqueue.store.schema import exists, fix_search_paths, has_namespace, strangers
from pgqueue.store.stamp import stamp_there
from pgqueue.version import __version__


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The revision that the database has (None: no schema), the newest that this code has, and how they compare.

    `state`: missing, behind, current or newer. `functions` is whether functions and views are this code's, or those of
    a later release, which serve this code, too.
    """

    revision: str | None
    newest: str
    state: str
    functions: bool


def migrate(dsn: str) -> bool:
    """Bring the schema to this code's version; False if nothing had to change.

    Several may run at once: one does the work, the others wait and find it done. Raises SchemaError if the database
    is newer than this code, a table stays locked, or something in the schema belongs to others; DatabaseUnreachable.
    """

    def act() -> bool:
        build_beside(dsn, _beside(dsn))
        with opened(dsn) as conn, conn.begin():
            return _migrate(conn)

    return patiently(dsn, act)


def _beside(dsn: str) -> list[str]:
    """What the revisions to come build before their transaction: nothing for a schema that is made anew."""
    before = status(dsn)
    coming = revisions.coming(before.revision) if before.state == "behind" else []
    return [text for each in coming for text in each.beside]


def status(dsn: str) -> SchemaStatus:
    """What the database has, beside what this code has. Changes nothing."""
    with opened(dsn) as conn:
        _refuse_strangers(conn)
        return _status(conn)


def sql() -> str:
    """All that `migrate` would run on an empty database, as a script for psql."""
    begin = f"begin;\n{OWN_PATH};\n\n{CREATE_SCHEMA};"
    return "\n\n".join([begin, revisions.sql(), *repeatables(), f"{own_stamp().written()};", "commit;\n"])


# What views, defaults and checks call is bound when they are made.
OWN_PATH = "set local search_path = pg_catalog, pg_temp"
CREATE_SCHEMA = "create schema pgqueue"


def _migrate(conn: sqlalchemy.Connection) -> bool:
    before = take_turn(conn)
    if before.state == "current" and before.functions:
        return False
    # Read before anything is locked, and sent at once: meanwhile everybody waits.
    script = _script(conn, before)
    if before.revision is None:
        if not execute(conn, has_namespace()):
            conn.exec_driver_sql(CREATE_SCHEMA)
    elif before.state == "behind":
        lock_everything(conn)
        execute(conn, forget_copies())
    limit(conn, "lock_timeout", A_VIEW)
    run(conn, script)
    execute(conn, fix_search_paths())
    give(conn)
    if before.revision is not None:
        execute(conn, tenants.keep())
        said = f"revision {before.revision} to {before.newest}, by pgqueue {__version__}"
        role = conn.exec_driver_sql("select session_user").scalar_one()
        execute(conn, audit.write(role, "migrate", "migrate", filter_text=said))
    return True


def _script(conn: sqlalchemy.Connection, before: SchemaStatus) -> str:
    """The migrations that the schema lacks, then all functions and views, then their stamp."""
    coming = [text for each in revisions.coming(before.revision) for text in each.statements]
    # What was dropped once is not served again.
    stamp = own_stamp(execute(conn, stamp_there()).serves).written()
    return "\n".join([*(f"{text};" for text in coming), *repeatables(), stamp])


def take_turn(conn: sqlalchemy.Connection) -> SchemaStatus:
    """Be the one migrator until this transaction ends; answers what is there then.

    Raises SchemaError if something in the schema belongs to others, or is newer than this code.
    """
    conn.exec_driver_sql(OWN_PATH)
    _refuse_strangers(conn)
    conn.exec_driver_sql(f"set local lock_timeout = '{giving_way.LOCK_TIMEOUT}'")
    if not execute(conn, exists()):
        # Where there is no table to lock yet: somebody may be making it, and be done when this one looks the next time.
        conn.exec_driver_sql("select pg_catalog.pg_advisory_xact_lock(7700, 0)")
    if execute(conn, exists()):
        # The lock of the one migrator: readers do not notice, and nobody else may take it.
        conn.exec_driver_sql("lock table pgqueue.alembic_version in share row exclusive mode")
    become_migrator(conn)
    before = _status(conn)
    if before.state == "newer":
        raise SchemaError(
            f"the database is at revision {before.revision}, newer than this pgqueue {__version__}"
            f" (which knows up to {before.newest}); upgrade pgqueue here, then run `pgqueue migrate` again"
        )
    return before


def run(conn: sqlalchemy.Connection, text: str) -> None:
    """Run statements of ours as they stand, in one round trip."""
    with closing(conn.connection.cursor()) as cursor:
        cursor.execute(text)


def _refuse_strangers(conn: sqlalchemy.Connection) -> None:
    """Raise SchemaError if anything there is not ours: whoever made it would have it run with this role's rights."""
    found = execute(conn, strangers())
    if found:
        raise SchemaError(
            f"the schema pgqueue is not to be trusted by this role: {'; '.join(found)}."
            " Migrate as the owner of all of it or as a member of that role, or drop what is not pgqueue's"
        )


def _status(conn: sqlalchemy.Connection) -> SchemaStatus:
    known = revisions.names()
    newest = known[-1]
    revision = revisions.current(conn)
    if revision is None:
        state = "missing"
    elif revision not in known:
        state = "newer"
    else:
        state = "current" if revision == newest else "behind"
    return SchemaStatus(revision, newest, state, serves(execute(conn, stamp_there())))


def opened(dsn: str) -> sqlalchemy.Connection:
    """A connection that migrates, to be closed; nothing is committed by itself."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: open_connection(address_of(dsn), "migrate", autocommit=False, deadline=None),
        poolclass=NullPool,
    )
    return engine.connect()
