"""Roles are made and given their rights, and one of them enqueues, on a session that looks elsewhere first."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue
from pgqueue.store import execute, job_rights, rights, schema, stamp
from tests import factories


def staffed_on(conn: psycopg.Connection[Any]) -> None:
    """All of it is taken back, the roles with it."""
    with conn.transaction(force_rollback=True):
        name = f"planted_{conn.info.dbname}"
        assert execute(conn, rights.has_roles())
        assert execute(conn, rights.made()) == {}
        execute(conn, rights.make(name))
        assert execute(conn, rights.give()) > 500
        assert execute(conn, rights.amiss()) == []
        assert len(execute(conn, rights.members())) == len(rights.PARTS)
        assert execute(conn, rights.may_become(f"{name}_producer"))
        execute(conn, rights.become(f"{name}_producer"))
        assert conn.execute("select pgqueue.acting_role()").fetchone() == (f"{name}_producer",)
        pgqueue.enqueue(conn, factories.TARGET, notify="off")
        pgqueue.enqueue(conn, factories.TARGET, unique_key="staffed", on_success=[factories.TARGET], notify="off")


def rights_of_jobs_on(conn: psycopg.Connection[Any]) -> None:
    """What a worker asks before it gives jobs the rights of another role or login."""
    login = conn.info.user
    with conn.transaction(force_rollback=True):
        execute(conn, job_rights.take_on(login))
        assert isinstance(execute(conn, job_rights.is_superuser(login)), bool)
        assert execute(conn, job_rights.database())
        assert execute(conn, job_rights.may_settle())


def migration_looked_at_on(conn: psycopg.Connection[Any]) -> None:
    """What is asked before a migration, and before what an older release needs goes."""
    assert "jobs" in {each.name for each in execute(conn, schema.table_sizes())}
    function = "pgqueue.cancel(pg_catalog.uuid)"
    for kind, name, table in (
        ("relation", "pgqueue.jobs", ""),
        ("column", "queue", "pgqueue.jobs"),
        ("function", function, ""),
    ):
        assert execute(conn, schema.is_there(kind, name, table)), name
    execute(conn, schema.live_releases())
    assert execute(conn, stamp.stamp_there()).release
