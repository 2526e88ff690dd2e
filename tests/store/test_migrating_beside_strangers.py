"""A role that may create in the database cannot have its code run, or the work stopped, by who migrates."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgqueue.embedded import Server
from pgqueue.errors import SchemaError
from pgqueue.migrate import migrate, status
from tests.factories import Conn
from tests.store.test_migrate import created

TRAP = """
create function {schema}.spring() returns trigger language plpgsql as $$ begin
  execute 'create role sprung'; return new; end $$
"""


@pytest.fixture
def empty(server: Server, database: str) -> Iterator[str]:
    with created(server, f"{database}_empty") as dsn:
        yield dsn


@pytest.fixture
def stranger(server: Server, database: str) -> Iterator[str]:
    """A role that may create schemas in the empty database, and nothing else."""
    name = f"stranger_{database}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


@pytest.fixture
def hers(empty: str, stranger: str) -> Iterator[Conn]:
    """Her connection to the empty database."""
    role, name = sql.Identifier(stranger), sql.Identifier(str(conninfo_to_dict(empty)["dbname"]))
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute(sql.SQL("grant create on database {} to {}").format(name, role))
        with psycopg.connect(make_conninfo(empty, user=stranger), autocommit=True) as hers:
            yield hers
        admin.execute(sql.SQL("drop owned by {} cascade").format(role))


def _is_sprung(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        return bool(conn.execute("select from pg_roles where rolname = 'sprung'").fetchall())


@pytest.mark.parametrize("ask", [migrate, status])
def test_a_schema_of_somebody_else_is_refused_by_name(empty: str, hers: Conn, stranger: str, ask: object) -> None:
    hers.execute("create schema pgqueue; create table pgqueue.alembic_version (version_num varchar(32) primary key)")
    hers.execute(TRAP.format(schema="pgqueue"))
    hers.execute(
        "create trigger t before insert or update on pgqueue.alembic_version for each row"
        " execute function pgqueue.spring()"
    )
    hers.execute("grant all on schema pgqueue to public; grant all on all tables in schema pgqueue to public")
    with pytest.raises(SchemaError, match=f"the schema pgqueue belongs to {stranger}"):
        ask(empty)  # type: ignore[operator]
    assert not _is_sprung(empty)


def test_what_somebody_else_has_made_in_our_schema_is_refused_by_name(empty: str, hers: Conn, stranger: str) -> None:
    migrate(empty)
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute(sql.SQL("grant create, usage on schema pgqueue to {}").format(sql.Identifier(stranger)))
        admin.execute("comment on schema pgqueue is 'functions of another release'")
    hers.execute("create function pgqueue.wake(_queue varchar) returns void language sql as 'select'")
    with pytest.raises(SchemaError, match=rf"function pgqueue.wake\(character varying\) belongs to {stranger}"):
        migrate(empty)


@pytest.mark.parametrize("trap", ["trigger", "rule", "policy"])
def test_what_would_run_when_the_revision_is_written_is_refused(empty: str, trap: str) -> None:
    migrate(empty)
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute("comment on schema pgqueue is 'functions of another release'")
        admin.execute(TRAP.format(schema="public"))
        admin.execute(
            {
                "trigger": "create trigger trap before update on pgqueue.alembic_version for each row"
                " execute function public.spring()",
                "rule": "create rule trap as on update to pgqueue.alembic_version do also select 1",
                "policy": "create policy trap on pgqueue.alembic_version using (true)",
            }[trap]
        )
    with pytest.raises(SchemaError, match=f"there is a {trap} trap on pgqueue.alembic_version"):
        migrate(empty)


def test_a_schema_that_was_made_for_it_beforehand_is_used_if_it_is_empty(empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute("create schema pgqueue")
        admin.execute("create table pgqueue.jobs (id uuid)")
        with pytest.raises(SchemaError, match=r"table pgqueue.jobs was there before pgqueue"):
            migrate(empty)
        admin.execute("drop table pgqueue.jobs")
    assert migrate(empty)


def test_a_member_of_the_owner_may_migrate_and_another_role_may_not(empty: str, hers: Conn, stranger: str) -> None:
    as_her = make_conninfo(empty, user=stranger)
    assert migrate(as_her)
    with pytest.raises(SchemaError, match=f"belongs to {stranger}.*Migrate as the owner"):
        migrate(empty)
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(stranger)))
        assert not migrate(empty)
        hers.execute("comment on schema pgqueue is 'functions of another release'")
        assert migrate(empty)
        admin.execute(sql.SQL("revoke {} from current_user").format(sql.Identifier(stranger)))


def test_no_lock_that_anybody_can_take_holds_a_migration_up(empty: str, hers: Conn) -> None:
    hers.execute("select pg_advisory_lock(x'70677175657565'::bigint)")
    assert migrate(empty)
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute("comment on schema pgqueue is 'functions of another release'")
        admin.execute("grant usage on schema pgqueue to public; grant select on all tables in schema pgqueue to public")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), hers.transaction():
        hers.execute("lock table pgqueue.alembic_version in share row exclusive mode")
    assert migrate(empty)
