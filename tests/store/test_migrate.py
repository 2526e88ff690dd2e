"""Migrating: once, by one, within a lock timeout, and never a newer database."""

from __future__ import annotations

import multiprocessing
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgqueue import giving_way
from pgqueue import migrate as migration
from pgqueue.embedded import Server
from pgqueue.errors import SchemaError
from pgqueue.migrate import migrate, status
from pgqueue.store.schema import require_schema
from tests.conftest import Connect
from tests.factories import Conn, claim_one, settle
from tests.waiting import wait_until

# Every object of the schema with its definition and with the transaction that last wrote it.
OBJECTS = """
select 'relation', c.oid::regclass::text, c.xmin::text from pg_class c where c.relnamespace = 'pgqueue'::regnamespace
union all
select 'function', p.oid::regprocedure::text, p.xmin::text from pg_proc p
where p.pronamespace = 'pgqueue'::regnamespace
union all
select 'schema', n.nspname, n.xmin::text from pg_namespace n where n.nspname = 'pgqueue'
union all
select 'comment', d.objoid::text, d.xmin::text from pg_description d
where d.objoid in (select oid from pg_class where relnamespace = 'pgqueue'::regnamespace)
order by 1, 2
"""
DEFINITIONS = """
select 'column', a.attrelid::regclass::text || '.' || a.attname || ' ' || a.attnum,
       format_type(a.atttypid, a.atttypmod) || a.attnotnull::text || a.attcollation::regcollation::text
         || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
from pg_attribute a
join pg_class c on c.oid = a.attrelid
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'pgqueue'::regnamespace and a.attnum > 0
union all
select 'options', c.relname, c.reloptions::text from pg_class c where c.relnamespace = 'pgqueue'::regnamespace
union all
select 'index', indexname, indexdef from pg_indexes where schemaname = 'pgqueue'
union all
select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'pgqueue'::regnamespace
union all
select 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid) from pg_proc p
where p.pronamespace = 'pgqueue'::regnamespace
union all
select 'view', viewname, definition from pg_views where schemaname = 'pgqueue'
union all
select 'comment', d.objoid::regclass::text, d.description from pg_description d
where d.objoid in (select oid from pg_class where relnamespace = 'pgqueue'::regnamespace)
union all
select 'schema', nspname, obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'pgqueue'
union all
select 'revision', version_num, null from pgqueue.alembic_version
order by 1, 2
"""


@pytest.fixture
def empty(server: Server, database: str) -> Iterator[str]:
    """The DSN of a database without the schema."""
    with created(server, f"{database}_empty") as dsn:
        yield dsn


@contextmanager
def created(server: Server, name: str) -> Iterator[str]:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield server.dsn(name, tcp=True)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def rows(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(query).fetchall()


def test_an_empty_database_is_missing_its_schema_until_it_is_migrated(empty: str) -> None:
    assert status(empty).state == "missing"
    with psycopg.connect(empty) as conn, pytest.raises(SchemaError, match="run `pgqueue migrate`"):
        require_schema(conn)
    assert migrate(empty) is True
    assert (status(empty).state, status(empty).functions) == ("current", True)
    with psycopg.connect(empty) as conn:
        require_schema(conn)


def test_a_second_run_changes_nothing(dsn: str) -> None:
    before = rows(dsn, OBJECTS)
    assert migrate(dsn) is False
    assert rows(dsn, OBJECTS) == before


def test_asking_for_the_status_changes_nothing(empty: str) -> None:
    status(empty)
    assert rows(empty, "select nspname from pg_namespace where nspname = 'pgqueue'") == []


def test_ten_processes_at_once_apply_it_once(empty: str) -> None:
    with multiprocessing.get_context("spawn").Pool(10) as processes:
        assert sorted(processes.map(migrate, [empty] * 10, chunksize=1)) == [False] * 9 + [True]
    assert status(empty).state == "current"


def test_threads_of_one_process_migrate_several_databases_at_once(server: Server, database: str) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(4) as threads:
        empty = [stack.enter_context(created(server, f"{database}_{number}")) for number in range(4)]
        assert list(threads.map(migrate, empty)) == [True] * 4
        assert {status(dsn).state for dsn in empty} == {"current"}


def test_the_printed_script_makes_the_same_schema(empty: str, dsn: str, server: Server) -> None:
    psql = server.bin_dir / "psql"
    if psql.exists():
        command = [str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", empty]
        subprocess.run(command, input=migration.sql(), text=True, check=True, capture_output=True)
    else:
        with psycopg.connect(empty, autocommit=True) as conn:
            conn.execute(migration.sql())
    assert rows(empty, DEFINITIONS) == rows(dsn, DEFINITIONS)
    assert migrate(empty) is False


def test_p14_a_newer_database_is_refused_and_left_alone(dsn: str, conn: Conn) -> None:
    conn.execute("update pgqueue.alembic_version set version_num = '9999'")
    conn.commit()
    before = rows(dsn, OBJECTS)
    with pytest.raises(SchemaError, match=r"at revision 9999, newer than this pgqueue .* upgrade pgqueue"):
        migrate(dsn)
    assert status(dsn).state == "newer"
    assert rows(dsn, OBJECTS) == before
    # Neighbouring releases work together: the code goes on with a schema that is newer.
    require_schema(conn)


def test_p14_a_changed_function_is_put_back(dsn: str, conn: Conn) -> None:
    conn.execute("create or replace function pgqueue.has_ended(_id uuid) returns boolean language sql as 'select true'")
    conn.execute("comment on schema pgqueue is 'functions of another release'")
    conn.commit()
    assert not status(dsn).functions
    assert migrate(dsn) is True
    ((body,),) = rows(dsn, "select prosrc from pg_proc where proname = 'has_ended'")
    assert "attempts" in body


def test_p14_claims_go_on_while_a_migration_is_applied(dsn: str, connect: Connect) -> None:
    db = connect(autocommit=True)
    db.execute("comment on schema pgqueue is 'functions of another release'")
    assert migrate(dsn) is True
    settle(db, claim_one(db))


def test_p14_a_blocked_migration_gives_way_within_its_lock_timeout(
    dsn: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(giving_way, "TRIES", 2)
    connect(autocommit=True).execute("comment on schema pgqueue is 'functions of another release'")
    blocker = connect()
    blocker.execute("select from pgqueue.job")
    holder = r"locked through 2 tries.*50ms; pid \d+ of role postgres .* on pgqueue.attempts.*pg_stat_activity"
    with pytest.raises(SchemaError, match=holder):
        migrate(dsn)
    blocker.rollback()
    assert migrate(dsn) is True


def test_p14_a_blocked_migration_goes_on_when_the_blocker_ends(
    dsn: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "LOCK_TIMEOUT", "50ms")
    db = connect(autocommit=True)
    db.execute("comment on schema pgqueue is 'functions of another release'")
    blocker = connect()
    blocker.execute("select from pgqueue.job")
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(migrate(dsn)))
    thread.start()
    wait_until(lambda: db.execute("select from pg_locks where not granted").fetchall(), message="it is blocked")
    blocker.rollback()
    thread.join(20)
    assert answers == [True]


def test_a_migration_that_fails_leaves_nothing(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "repeatables", lambda: ["select 1 / 0;"])
    with pytest.raises(Exception, match="division by zero"):
        migrate(empty)
    monkeypatch.undo()
    assert status(empty).state == "missing"
    assert migrate(empty) is True


HINDRANCES = {
    "default_transaction_isolation": "serializable",
    "search_path": "",
    "default_transaction_read_only": "on",
}


def test_settings_of_the_dsn_do_not_matter(empty: str) -> None:
    options = " ".join(f"-c {name}={value}" for name, value in HINDRANCES.items())
    assert migrate(make_conninfo(empty, options=options)) is True


def test_defaults_of_the_role_do_not_matter(empty: str, database: str) -> None:
    role = f"{database}_reader"
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute(f"create role {role} superuser login")
        try:
            for name, value in HINDRANCES.items():
                admin.execute(f"alter role {role} set {name} = '{value}'")
            assert migrate(make_conninfo(empty, user=role)) is True
        finally:
            admin.execute(f"drop owned by {role} cascade")
            admin.execute(f"drop role {role}")


def test_a_database_that_was_made_read_only_is_not_migrated(empty: str, database: str) -> None:
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute(f"alter database {database}_empty set default_transaction_read_only = on")
    with pytest.raises(sqlalchemy.exc.InternalError, match="read-only transaction"):
        migrate(empty)


def test_alembics_own_table_lives_in_the_schema(dsn: str) -> None:
    assert rows(dsn, "select schemaname from pg_tables where tablename = 'alembic_version'") == [("pgqueue",)]


def test_every_function_says_what_it_costs() -> None:
    for text in migration.repeatables():
        head = text[: re.search(r"^create", text, re.MULTILINE).start()]  # type: ignore[union-attr]
        assert head.startswith("-- "), head
        assert "\n\n" not in head


def test_importing_the_enqueue_path_imports_neither_alembic_nor_sqlalchemy() -> None:
    code = "import sys, pgqueue; print([name for name in ('alembic', 'sqlalchemy', 'typer') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_p14_functions_of_a_later_release_stay(db: Conn, dsn: str) -> None:
    db.execute("comment on schema pgqueue is 'pgqueue, a job queue; functions of 99.0.0, 0123456789abcdef'")
    assert migrate(dsn) is False
    assert status(dsn).functions
