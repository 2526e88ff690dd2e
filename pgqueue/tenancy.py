"""Switching tenants on and off: row-level security on every table, beside whoever is at work."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import errors

from pgqueue.database import address_of
from pgqueue.errors import UsageError
from pgqueue.giving_way import lock_everything, patiently, statement
from pgqueue.store import execute, rights, tenants
from pgqueue.store.connection import open_connection
from pgqueue.store.schema import require_schema

OWN_PATH = "set local search_path = pg_catalog, pg_temp"
# These parts see those of all, where roles were made.
PARTS = ("worker", "admin")


def switch_on(dsn: str, sees_all: Sequence[str] = ()) -> list[str]:
    """Switch tenants on, and have these roles see the jobs of all; answers all roles that do, besides the owner.

    Where they are on, roles are added. No row is looked at; all tables are locked for a moment. For the owner of the
    schema. Raises UsageError for a role that is none, if a worker at work would see no tenant's job any more, or on
    PostgreSQL 14; SchemaError if a table stays locked.
    """

    def act() -> list[str]:
        with _transaction(dsn) as conn, conn.transaction():
            roles = sorted({*execute(conn, tenants.who_sees_all()), *sees_all, *_usual(conn)})
            if missing := execute(conn, tenants.missing_roles(roles)):
                raise UsageError(f"there is no role {missing[0]}: create it first")
            if blind := execute(conn, tenants.blind_workers(roles)):
                raise UsageError(
                    f"workers of the role {blind[0]} are at work, and would see no tenant's job; say"
                    f" --sees-all {blind[0]}"
                )
            _switch(conn, True, roles)
            return roles

    return patiently(dsn, act)


def switch_off(dsn: str) -> None:
    """Switch tenants off: whoever has rights sees all again. Rows keep their tenants. For the owner of the schema."""

    def act() -> None:
        with _transaction(dsn) as conn, conn.transaction():
            _switch(conn, False, [])

    patiently(dsn, act)


def _transaction(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    conn = open_connection(address_of(dsn), "migrate", autocommit=True, deadline=None)
    try:
        require_schema(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def _usual(conn: psycopg.Connection[tuple[object, ...]]) -> set[str]:
    made = execute(conn, rights.made()) if execute(conn, rights.has_roles()) else {}
    return {made[part] for part in PARTS if part in made}


def _switch(conn: psycopg.Connection[tuple[object, ...]], on: bool, roles: Sequence[str]) -> None:
    execute(conn, statement(OWN_PATH))
    lock_everything(conn)
    try:
        execute(conn, tenants.switch(on, roles))
    except errors.FeatureNotSupported as error:
        raise UsageError(f"{error.diag.message_primary}: {error.diag.message_hint}") from error
    except errors.InsufficientPrivilege as error:
        raise UsageError(f"only the owner of the schema pgqueue can do this ({error.diag.message_primary})") from error
