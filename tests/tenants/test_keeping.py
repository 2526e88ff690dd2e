"""Tenants stay on whatever is done to the schema: a migration, history by days, a table to come."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql

import pgqueue
from pgqueue.migrate import migrate
from pgqueue.partitioning import partition_history
from pgqueue.tenancy import switch_on
from tests.factories import TARGET, claim, enlist, settle
from tests.tenants.conftest import RIGHTS, Conn


@pytest.fixture
def own(dsn: str) -> Iterator[tuple[str, str]]:
    """A database of the test's own where tenants are on, and a role there that acts for acme."""
    role = f"acme_{uuid4().hex[:8]}"
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {role} login;" + RIGHTS).format(role=sql.Identifier(role)))
        # What is made later is readable at once, as grants for objects to come make it.
        admin.execute(f"alter default privileges in schema pgqueue grant select on tables to {role}")
        switch_on(dsn)
        admin.execute("insert into pgqueue.tenant_roles values (%s, 'acme')", [role])
    yield dsn, role
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"drop owned by {role}; drop role {role}")


def as_acme(own: tuple[str, str]) -> Conn:
    conn = psycopg.connect(f"{own[0]} user={own[1]}", autocommit=True)
    conn.execute("set pgqueue.tenant = 'acme'")
    return conn


def test_a_migration_leaves_tenants_on(own: tuple[str, str]) -> None:
    dsn, _ = own
    with psycopg.connect(dsn, autocommit=True) as admin:
        pgqueue.enqueue(admin, TARGET)
        # As functions and views of another release are: all are made anew, and a table has come.
        admin.execute("comment on schema pgqueue is 'pgqueue, a job queue; functions of 0.0.1, 0123456789abcdef'")
        admin.execute("create table pgqueue.yet_to_come (secret text); insert into pgqueue.yet_to_come values ('x')")
    assert migrate(dsn)
    with as_acme(own) as conn:
        for each in ("job", "yet_to_come"):
            assert conn.execute(f"select from pgqueue.{each}").fetchall() == []
        pgqueue.enqueue(conn, TARGET)
        assert len(conn.execute("select from pgqueue.job").fetchall()) == 1


def test_history_by_days_keeps_tenants_apart(own: tuple[str, str]) -> None:
    dsn, _ = own
    with psycopg.connect(dsn, autocommit=True) as admin, as_acme(own) as conn:
        before = [pgqueue.enqueue(admin, TARGET).id, pgqueue.enqueue(conn, TARGET).id]
        settle(admin, *claim(admin, enlist(admin), 2))
        assert partition_history(dsn)
        behind = [pgqueue.enqueue(admin, TARGET).id, pgqueue.enqueue(conn, TARGET).id]
        settle(admin, *claim(admin, enlist(admin), 2))
        assert {row[0] for row in conn.execute("select id from pgqueue.job")} == {before[1], behind[1]}
        partitions = admin.execute(
            "select oid::regclass::text from pg_class where relispartition and relkind = 'r'"
        ).fetchall()
        assert len(partitions) > 4
        # Whoever is let into a partition itself finds nothing there.
        for (name,) in partitions:
            assert conn.execute(f"select from {name}").fetchall() == []
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            conn.execute(
                "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, tenant)"
                " values (pgqueue.uuid7(), 1, 1, 'succeeded', 'q', 'a:b', 'globex')"
            )


def test_what_waited_when_tenants_came_is_nobodys(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        old = pgqueue.enqueue(admin, TARGET, unique_key="acme::k").id
        switch_on(dsn)
        (held,) = claim(admin, enlist(admin))
        settle(admin, held)
        assert admin.execute("select id, tenant, state from pgqueue.job").fetchall() == [(old, None, "succeeded")]


def test_postgresql_14_is_refused(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        # The setting cannot be changed, so the function is asked as a server of that release would ask it.
        text = admin.execute("select pg_get_functiondef('pgqueue.set_tenants'::regproc)").fetchone()
        assert text is not None
        said = text[0].replace("current_setting('server_version_num')::int", "140011")
        assert said != text[0]
        admin.execute(said)
    with pytest.raises(pgqueue.UsageError, match="tenants need PostgreSQL 15 or newer"):
        switch_on(dsn)
