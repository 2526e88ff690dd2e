"""Roles of pgqueue: made when somebody asks for them, and given their rights by each migration from then on.

What each may do is pgqueue/store/rights; without roles nothing of it happens.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import errors

from pgqueue.database import address_of
from pgqueue.errors import SchemaError, UsageError
from pgqueue.giving_way import limit, lock_everything, patiently, statement
from pgqueue.store import execute, rights
from pgqueue.store.connection import SyncConnection, open_connection

DEFAULT_PREFIX = "pgqueue"
# Of the statements that give rights those that wait for whoever uses a table.
_LOCKING = ("alter table", "alter view", "create trigger")


@dataclass(frozen=True, slots=True)
class Given:
    """What it took to give roles their rights: so many statements; none if all was as it should be.

    `bereft` are roles of others from which functions were taken: these may run with the rights of their owner now.
    """

    statements: int
    bereft: list[str]


def make_roles(dsn: str, prefix: str | None = None) -> Given:
    """Make what is missing of the roles, under this prefix or the one they have, and give each its rights.

    Waits for whoever uses a table. Raises SchemaError if one stays locked, UsageError if that cannot be the prefix.
    """
    return patiently(dsn, lambda: _given(dsn, prefix))


def sync(dsn: str) -> Given:
    """As make_roles(), where roles were made. Raises UsageError if they were not."""
    with open_connection(address_of(dsn), "migrate", autocommit=True, deadline=None) as conn:
        if not execute(conn, rights.has_roles()) or not execute(conn, rights.made()):
            raise UsageError("no roles were made here; `pgqueue migrate --roles` makes them")
    return make_roles(dsn)


def _given(dsn: str, prefix: str | None) -> Given:
    with open_connection(address_of(dsn), "migrate", autocommit=False, deadline=None) as conn, conn.transaction():
        execute(conn, statement("set local search_path = pg_catalog, pg_temp"))
        try:
            bereft = execute(conn, rights.make(prefix or _prefix(conn) or DEFAULT_PREFIX))
        except errors.InvalidParameterValue as error:
            raise UsageError(f"{error.diag.message_primary}; {error.diag.message_hint}") from error
        return Given(give(conn), bereft)


def give(conn: SyncConnection) -> int:
    """Give each role its rights, if roles were made; how many statements that took."""
    cures = execute(conn, rights.amiss()) if execute(conn, rights.made()) else []
    if not cures:
        return 0
    if any(cure.startswith(_LOCKING) for cure in cures):
        lock_everything(conn)
        limit(conn, "lock_timeout", 0.4)
    return execute(conn, rights.give())


def become_migrator(conn: SyncConnection) -> bool:
    """Do what follows in this transaction as the role that everything belongs to; False if there are no roles.

    Raises SchemaError if one of the roles is gone, or the migrator is not to be had.
    """
    if not execute(conn, rights.has_roles()) or not (roles := execute(conn, rights.members())):
        return False
    if gone := [each.role for each in roles if not each.is_there]:
        raise SchemaError(
            f"this server has no role {', '.join(gone)}; run `pgqueue roles sync` as one who may create roles"
        )
    (migrator,) = (each.role for each in roles if each.part == "migrator")
    if not execute(conn, rights.may_become(migrator)):
        raise SchemaError(f"only a member of {migrator} migrates here; run: grant {migrator} to your role")
    execute(conn, rights.become(migrator))
    return True


def _prefix(conn: SyncConnection) -> str | None:
    roles = execute(conn, rights.made())
    return roles["migrator"].removesuffix("_migrator") if roles else None
