"""Databases that tests make and drop, on a server that others may use, too.

A lock of the session on a database's name says that somebody uses it: it ends with the session, however that ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg
from psycopg import errors, sql

from pgqueue.errors import UsageError

# "pgqt" in ASCII: the first half of the locks' keys.
LOCK_CLASS = 0x70677174
# Seconds that another run may take to make a template.
PATIENCE = 120
# What a server of nothing but tests need not do.
_HASTE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "'128MB'",
    "min_wal_size": "'32MB'",
    "checkpoint_timeout": "'1h'",
}

Admin = psycopg.Connection[Any]


class Known(NamedTuple):
    """A database of this role: its name, and what stands in its comment."""

    name: str
    comment: str | None


def create(conn: Admin, name: str, template: str, comment: str) -> None:
    """Create a database as a copy of one that nobody is connected to. Raises UsageError if the role may not."""
    words = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
    try:
        conn.execute(words)
    except errors.InsufficientPrivilege as error:
        raise UsageError(
            f"the role {conn.info.user} may not create databases for tests on this server; `alter role"
            f" {conn.info.user} createdb`, or name no server and have an embedded one"
        ) from error
    note(conn, name, comment)


def note(conn: Admin, name: str, comment: str) -> None:
    """Write the comment of a database."""
    conn.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(name), sql.Literal(comment)))


def become(conn: Admin, name: str, final: str) -> None:
    """Give a finished template its name; nobody connects to it from then on, so that it can be copied."""
    conn.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(name)))
    conn.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(name), sql.Identifier(final)))


def drop(conn: Admin, name: str, *, force: bool) -> None:
    """Drop a database; `force` ends the sessions in it, otherwise they keep it."""
    words = "drop database if exists {} with (force)" if force else "drop database if exists {}"
    conn.execute(sql.SQL(words).format(sql.Identifier(name)))


def known(conn: Admin, prefix: str) -> list[Known]:
    """The databases of this role whose names begin so, in order of name."""
    rows = conn.execute(
        """
        select d.datname, pg_catalog.shobj_description(d.oid, 'pg_database')
        from pg_catalog.pg_database as d
        where pg_catalog.starts_with(d.datname::text, %s) and pg_catalog.pg_get_userbyid(d.datdba) = current_user
        order by d.datname
        """,
        [prefix],
    )
    return [Known(*row) for row in rows]


def exists(conn: Admin, name: str) -> bool:
    """Whether there is a database of this name."""
    return conn.execute("select from pg_catalog.pg_database where datname = %s", [name]).fetchone() is not None


def hold(conn: Admin, name: str, *, shared: bool = False) -> None:
    """Lock a name, waiting for others. Raises UsageError past PATIENCE."""
    function = "pg_advisory_lock_shared" if shared else "pg_advisory_lock"
    conn.execute(f"set lock_timeout = '{PATIENCE}s'")
    try:
        conn.execute(f"select {function}(%s, hashtext(%s))", [LOCK_CLASS, name])
    except errors.LockNotAvailable as error:
        raise UsageError(f"another run of tests has held {name} for {PATIENCE} s; look what it does") from error
    finally:
        conn.execute("reset lock_timeout")


def try_hold(conn: Admin, name: str) -> bool:
    """Lock a name if nobody has it."""
    row = conn.execute("select pg_try_advisory_lock(%s, hashtext(%s))", [LOCK_CLASS, name]).fetchone()
    return row is not None and bool(row[0])


def let_go(conn: Admin, name: str) -> None:
    """Unlock a name."""
    conn.execute("select pg_advisory_unlock(%s, hashtext(%s))", [LOCK_CLASS, name])


def hurry(conn: Admin) -> None:
    """Have the server not wait for its disk: for one that may lose everything when its machine stops."""
    if _setting(conn, "fsync") == "off":
        return
    for name, value in _HASTE.items():
        conn.execute(f"alter system set {name} = {value}".encode())
    conn.execute("select pg_reload_conf()")


def _setting(conn: Admin, name: str) -> str:
    row = conn.execute("select pg_catalog.current_setting(%s)", [name]).fetchone()
    return "" if row is None else str(row[0])
