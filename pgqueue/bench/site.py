"""The place where everything is measured: scratch databases, made for one run, marked as such, and dropped after it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgqueue.bench.sizes import Sizes
from pgqueue.errors import UsageError
from pgqueue.migrate import migrate
from pgqueue.store.connection import open_connection

Conn = psycopg.Connection[Any]

PREFIX = "pgqueue_bench_"
MARK = "scratch database of pgqueue bench"
# All but what says which schema it is, and who is there.
TABLES = """
select string_agg(c.oid::regclass::text, ', ')
from pg_class as c
where c.relnamespace = 'pgqueue'::regnamespace and c.relkind = 'r'
  and c.relname not in ('alembic_version', 'workers', 'targets')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A migrated scratch database.

    `server` is the postmaster's process, if it runs here and is ours; `programs` is where pgbench may be found.
    """

    admin: str = field(repr=False)
    dsn: str = field(repr=False)
    sizes: Sizes
    server: int | None = None
    programs: Path | None = None

    def connect(self) -> Conn:
        """A connection on which each statement commits, however long it takes."""
        return open_connection(self.dsn, "bench", deadline=None)

    @contextmanager
    def another(self, *, migrated: bool = True) -> Iterator[str]:
        """The DSN of one more scratch database, dropped in the end."""
        with _database(self.admin, migrated=migrated) as dsn:
            yield dsn

    def empty(self) -> None:
        """Throw away all jobs with their history and all settings, and begin with a fresh checkpoint."""
        with self.connect() as conn:
            refuse_unless_scratch(conn)
            (tables,) = conn.execute(TABLES).fetchone() or ("",)
            conn.execute(f"truncate {tables}")
            checkpoint(conn)

    def settle_down(self) -> None:
        """What a preloaded table needs before it is measured: VACUUM, ANALYZE and a checkpoint."""
        with self.connect() as conn:
            refuse_unless_scratch(conn)
            conn.execute("vacuum (analyze) pgqueue.jobs")
            checkpoint(conn)


@contextmanager
def open_site(admin: str, sizes: Sizes, *, server: int | None, programs: Path | None) -> Iterator[Site]:
    """A scratch database on the server that `admin` names; nothing else there is touched.

    Raises UsageError if the role may not create one.
    """
    with _database(admin, migrated=True) as dsn:
        yield Site(admin=admin, dsn=dsn, sizes=sizes, server=server, programs=programs)


@contextmanager
def _database(admin: str, *, migrated: bool) -> Iterator[str]:
    name = f"{PREFIX}{secrets.token_hex(4)}"
    identifier = sql.Identifier(name)
    with open_connection(admin, "bench", deadline=None) as conn:
        try:
            conn.execute(sql.SQL("create database {} template template0 encoding 'UTF8'").format(identifier))
        except psycopg.errors.InsufficientPrivilege as error:
            raise UsageError(
                f"the role {conn.info.user} may not create the database that would be measured in; grant it CREATEDB,"
                " or leave --dsn out"
            ) from error
    try:
        with open_connection(admin, "bench") as conn:
            conn.execute(sql.SQL("comment on database {} is {}").format(identifier, sql.Literal(MARK)))
        dsn = make_conninfo(admin, dbname=name)
        if migrated:
            migrate(dsn)
        yield dsn
    finally:
        with open_connection(admin, "bench", deadline=None) as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(identifier))


def refuse_unless_scratch(conn: Conn) -> None:
    """Raise UsageError unless this database was made here: measuring throws away what a database holds."""
    found = conn.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
    ).fetchone()
    if found is None or found[0] != MARK or not conn.info.dbname.startswith(PREFIX):
        raise UsageError(
            f"the database {conn.info.dbname} is no scratch database of pgqueue bench, and measuring empties it;"
            " give the server with --dsn, and a database is made and dropped there"
        )


def checkpoint(conn: Conn) -> None:
    """A checkpoint, where the role may have one: then no measure pays for the pages of another."""
    try:
        conn.execute("checkpoint")
    except psycopg.errors.InsufficientPrivilege:
        return
