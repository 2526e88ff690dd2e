"""An admin sets everything that people set, and is no owner; a migrator owns everything, and is no superuser."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgqueue.errors import SchemaError, UsageError
from pgqueue.granting import make_roles, sync
from pgqueue.migrate import migrate
from pgqueue.partitioning import partition_history
from pgqueue.store import execute, rights
from tests.hostile import rules, seeing, telling
from tests.hostile.workflows_seen import workflows_seen_on
from tests.postgres import Databases
from tests.roles.conftest import Staffed, forget_roles


def test_all_that_people_may_set_an_admin_may(staffed: Staffed) -> None:
    with staffed.connect("admin") as conn:
        conn.execute("set search_path = pg_catalog")
        every: Any
        for every in (
            rules.schedules_on,
            rules.limits_on,
            rules.feeds_on,
            seeing.seen_on,
            telling.told_on,
            workflows_seen_on,
        ):
            every(conn)
        conn.execute("select pgqueue.set_queue('q', priority => 7)")
        conn.execute("select pgqueue.set_route('a:*', 'q')")
        conn.execute("select pgqueue.set_max_size('q', 10)")
        conn.execute("insert into pgqueue.jobs (id, target, queue) values (pgqueue.uuid7(), 'a:b', 'q')")
        assert conn.execute("select priority from pgqueue.jobs where queue = 'q'").fetchone() == (7,)
        conn.execute("select pgqueue.set_max_size('q', 0)")
        conn.execute("select pgqueue.remove_route('a:*')")
        conn.execute("select pgqueue.unset_queue('q', array['priority'])")


@pytest.mark.parametrize(
    "question",
    [
        "drop table pgqueue.jobs",
        "alter table pgqueue.jobs add column mine int",
        "create function pgqueue.mine() returns int language sql return 1",
        "update pgqueue.roles set role = current_user",
        "update pgqueue.alembic_version set version_num = '9999'",
        "update pgqueue.audit set who = 'somebody else'",
        "delete from pgqueue.audit",
        "select pgqueue.give_rights('[]', '[]')",
        "select pgqueue.make_roles('mine')",
        "select pgqueue.begin_copy('attempts')",
        "alter default privileges in schema pgqueue grant all on tables to public; create table pgqueue.mine ()",
    ],
)
def test_an_admin_is_no_owner(staffed: Staffed, question: str) -> None:
    with staffed.connect("admin") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(question)


def test_only_a_member_of_the_migrator_migrates(staffed: Staffed) -> None:
    staffed.conn.execute("comment on schema pgqueue is 'functions of 0.0.1, 0123456789abcdef'")
    with pytest.raises((SchemaError, psycopg.errors.InsufficientPrivilege)):
        migrate(staffed.logins["admin"])
    assert migrate(staffed.logins["migrator"])


def test_a_superuser_who_made_the_roles_migrates_as_before(staffed: Staffed) -> None:
    staffed.conn.execute("comment on schema pgqueue is 'functions of 0.0.1, 0123456789abcdef'")
    assert migrate(staffed.dsn)
    assert execute(staffed.conn, rights.amiss()) == []


def test_a_migrator_partitions_the_history_and_its_rights_go_along(staffed: Staffed) -> None:
    assert partition_history(staffed.logins["migrator"])
    assert execute(staffed.conn, rights.amiss()) == []


def test_roles_under_another_prefix_are_refused(staffed: Staffed) -> None:
    with pytest.raises(UsageError, match="the roles of this database are made"):
        make_roles(staffed.dsn, "others")
    with pytest.raises(UsageError, match="must be up to 50 of a-z"):
        make_roles(staffed.dsn, "Robert'); drop table")
    assert sync(staffed.dsn).statements == 0


def test_who_owned_the_schema_goes_on_and_loses_what_was_given_by_hand(databases: Databases) -> None:
    """As one who may make roles and owns the database, and is no superuser."""
    name = databases.create("template1")
    admin = databases.server.dsn(name, tcp=True)
    owner, web = f"{name}_owner", f"{name}_web"
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(f"create role {owner} login createrole")
        conn.execute(f"create role {web} login")
        conn.execute(f"alter database {name} owner to {owner}")
        dsn = make_conninfo(admin, user=owner)
        with pytest.raises(UsageError, match="no roles were made here"):
            sync(dsn)
        assert migrate(dsn)
        conn.execute(f"grant usage on schema pgqueue to {web}")
        conn.execute(f"grant execute on all functions in schema pgqueue to {web}")
        given = make_roles(dsn, name)
        assert given.statements > 500
        assert given.bereft == [web]
        assert execute(conn, rights.amiss()) == []
        with psycopg.connect(dsn, autocommit=True) as theirs:
            theirs.execute("select pgqueue.enqueue('a:b')")
        lent = conn.execute("select has_database_privilege(%s, current_database(), 'create')", [f"{name}_migrator"])
        assert lent.fetchone() == (False,)
        assert make_roles(dsn).statements == 0
        conn.execute("comment on schema pgqueue is 'functions of 0.0.1, 0123456789abcdef'")
        assert migrate(dsn)
    databases.drop(name)
    forget_roles(databases.server.dsn(), [owner, web, *(f"{name}_{part}" for part in rights.PARTS)])


def test_a_role_that_was_dropped_is_missed_and_made_again(staffed: Staffed) -> None:
    conn, reader, login = staffed.conn, staffed.role("reader"), f"{staffed.prefix}_some_reader"
    conn.execute(f"drop owned by {reader}; drop role {reader}")
    conn.execute("comment on schema pgqueue is 'functions of 0.0.1, 0123456789abcdef'")
    with pytest.raises(SchemaError, match=f"this server has no role {reader}; run `pgqueue roles sync`"):
        migrate(staffed.logins["migrator"])
    assert sync(staffed.dsn).statements > 50
    conn.execute(f"grant {reader} to {login}")
    assert migrate(staffed.logins["migrator"])


def test_a_superuser_is_made_no_part(databases: Databases) -> None:
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"create role {name}_worker superuser")
    with pytest.raises(UsageError, match="is a superuser"):
        make_roles(dsn, name)
    databases.drop(name)
    forget_roles(databases.server.dsn(), [f"{name}_worker"])
