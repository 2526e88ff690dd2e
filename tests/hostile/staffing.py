"""Roles are made and given their rights, and one of them enqueues, on a session that looks elsewhere first."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue
from pgqueue.store import execute, rights
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
