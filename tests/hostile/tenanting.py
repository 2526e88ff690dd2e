"""All that is asked of tenants, on any connection of the owner's."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg

from pgqueue.store import execute, tenants
from tests import factories


def tenants_on(conn: psycopg.Connection[Any]) -> None:
    """Tenants are switched on, a job is of one, a role is bound, and all is as before."""
    role = f"tenant_{uuid4().hex}"
    with conn.transaction(force_rollback=True):
        conn.execute(f"create role {role}; grant usage on schema pgqueue to {role}")
        conn.execute(f"grant select, insert, update, delete on all tables in schema pgqueue to {role}")
        conn.execute(f"grant execute on all functions in schema pgqueue to {role}")
        assert not execute(conn, tenants.are_on())
        assert execute(conn, tenants.missing_roles([role, "nobody_at_all"])) == ["nobody_at_all"]
        execute(conn, tenants.blind_workers([role]))
        assert not execute(conn, tenants.is_above(role))
        execute(conn, tenants.switch(True, []))
        execute(conn, tenants.keep())
        tenants.require_all(conn)
        assert execute(conn, tenants.who_sees_all()) == []
        assert execute(conn, tenants.bind(role, "acme"))
        assert execute(conn, tenants.bindings()) == [(role, "acme")]
        conn.execute(f"set local role {role}")
        execute(conn, tenants.set_tenant("acme"))
        job = factories.enqueue(conn, unique_key="k")
        assert execute(conn, tenants.tenants_of([job])) == {job: "acme"}
        conn.execute(
            "insert into pgqueue.progress (job_id, claim, attempt, since, since_done, at, done)"
            " values (%s, 1, 1, pg_catalog.now(), 0, pg_catalog.now(), 1)",
            [job],
        )
        assert execute(conn, tenants.act_for_job(job)) == "acme"
        nodes = '[{"name": "a", "target": "shop:a"}]'
        assert conn.execute("select pgqueue.enqueue_workflow('said', %s)", [nodes]).fetchone()
        assert conn.execute("select pgqueue.cancel(%s)", [job]).fetchone() == ("cancelled",)
        conn.execute("reset role")
        assert execute(conn, tenants.unbind(role, None)) == 1
        execute(conn, tenants.switch(False, []))
