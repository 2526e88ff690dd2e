"""What is missing in the schema is found, and back after the cure was executed."""

from __future__ import annotations

import re

import psycopg
import pytest
from psycopg import sql

from pgqueue.doctor.schema import TABLES, TRIGGERS
from pgqueue.embedded import Server
from pgqueue.store.statement import query
from tests.doctor.conftest import Examine, cure
from tests.factories import Conn, enqueue
from tests.postgres import ROOT


def test_a_fresh_database_is_as_the_code_wants_it(db: Conn, examine: Examine) -> None:
    assert [examine(name).status for name in ("schema", "indexes", "grants", "privileges")] == ["ok"] * 4
    assert "functions" in examine("schema").text


def test_a_database_without_the_schema_wants_to_be_migrated(
    server: Server, database: str, db: Conn, examine: Examine
) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database bare template template0"))
        try:
            bare = server.dsn("bare", tcp=True)
            assert (examine("schema", bare).status, examine("schema", bare).cure) == ("FAIL", "pgqueue migrate")
            found = examine("oldest", bare)
            assert (found.status, found.cure) == ("unknown", "pgqueue migrate")
        finally:
            admin.execute("drop database bare with (force)")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("drop function pgqueue.cancel(uuid)", "function cancel"),
        ("drop view pgqueue.job", "view job"),
        ("drop trigger jobs_new on pgqueue.jobs", "trigger jobs_new"),
        ("drop trigger jobs_keyed on pgqueue.jobs", "trigger jobs_keyed"),
        ("alter table pgqueue.jobs disable trigger jobs_keyed", "disabled trigger jobs_keyed"),
    ],
)
def test_what_is_missing_is_made_anew_by_the_cure(db: Conn, examine: Examine, damage: str, what: str) -> None:
    db.execute(damage.encode())
    found = examine("schema")
    assert (found.status, found.text) == ("FAIL", f"missing: {what}")
    assert found.cure == 'pgqueue doctor --only schema --fix-sql | psql "$PGQUEUE_DSN"'
    cure(db, found)
    assert examine("schema").status == "ok"


def test_functions_of_another_release_want_a_migration(db: Conn, examine: Examine) -> None:
    db.execute("comment on schema pgqueue is 'pgqueue, a job queue'")
    assert (examine("schema").status, examine("schema").cure) == ("warn", "pgqueue migrate")


def test_a_missing_index_is_built_by_the_cure(db: Conn, examine: Examine) -> None:
    db.execute("drop index pgqueue.jobs_claim; alter table pgqueue.results drop constraint results_pkey")
    found = examine("indexes")
    assert (found.status, found.text) == ("FAIL", "jobs_claim is missing; results_pkey is missing")
    cure(db, found)
    assert examine("indexes").status == "ok"


def test_an_index_that_was_not_built_to_its_end_is_built_by_the_cure(db: Conn, examine: Examine) -> None:
    for _ in range(2):
        enqueue(db)
    db.execute("drop index pgqueue.jobs_unique; update pgqueue.jobs set unique_key = 'k'")
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute("create unique index concurrently jobs_unique on pgqueue.jobs (unique_key)")
    found = examine("indexes")
    assert found.text == "jobs_unique is invalid"
    db.execute("update pgqueue.jobs set unique_key = null")
    cure(db, found)
    assert examine("indexes").status == "ok"


def test_the_doctor_knows_all_that_the_schema_has(db: Conn) -> None:
    """A table, a trigger or an index that is new stands in pgqueue/doctor/schema.py and in doctor/indexes.sql, too."""
    in_schema = "c.relnamespace = 'pgqueue'::regnamespace and c.relname !~ '^alembic'"
    there = {row[0] for row in db.execute(f"select relname from pg_class as c where relkind = 'r' and {in_schema}")}
    assert there == set(TABLES)
    triggers = "select tgname from pg_trigger where tgrelid = 'pgqueue.jobs'::regclass"
    assert {row[0] for row in db.execute(triggers)} == set(TRIGGERS)
    indexes = {row[0] for row in db.execute(f"select relname from pg_class as c where relkind = 'i' and {in_schema}")}
    assert {name for name in indexes if f"('{name}', '" not in query("doctor/indexes")} == set()
    assert query("doctor/indexes").count("\n  ('") == len(indexes)


def test_every_index_is_made_as_it_was_by_its_cure(db: Conn, examine: Examine) -> None:
    texts = (
        "select indexname, indexdef from pg_indexes where schemaname = 'pgqueue' and indexname !~ '^alembic' order by 1"
    )
    before = db.execute(texts).fetchall()
    for name, _ in before:
        constraint = db.execute("select conrelid::regclass from pg_constraint where conname = %s", [name]).fetchone()
        if constraint is None:
            db.execute(sql.SQL("drop index pgqueue.{}").format(sql.Identifier(name)))
        else:
            db.execute(
                sql.SQL("alter table {} drop constraint {}").format(sql.SQL(constraint[0]), sql.Identifier(name))
            )
    cure(db, examine("indexes"))
    assert db.execute(texts).fetchall() == before


def test_a_worker_that_may_not_use_a_new_table_is_granted_it_by_the_cure(db: Conn, examine: Examine) -> None:
    role = "worker_of_grants"
    db.execute(f"create role {role}; grant usage on schema pgqueue to {role}".encode())
    try:
        db.execute(f"grant select, insert, update, delete on all tables in schema pgqueue to {role}".encode())
        db.execute(f"grant usage on all sequences in schema pgqueue to {role}".encode())
        assert examine("grants").status == "ok"
        db.execute(f"revoke delete on pgqueue.holds from {role}".encode())
        db.execute(f"revoke usage on sequence pgqueue.hold_numbers from {role}".encode())
        found = examine("grants")
        assert found.status == "FAIL"
        assert f"{role} may work, but not on hold_numbers; {role} may work, but not on holds" in found.text
        cure(db, found)
        assert examine("grants").status == "ok"
    finally:
        db.execute(f"drop owned by {role}; drop role {role}".encode())


def test_a_producer_that_may_not_say_a_new_column_is_granted_it_by_the_cure(db: Conn, examine: Examine) -> None:
    role = "producer_of_grants"
    db.execute(f"create role {role}; grant usage on schema pgqueue to {role}".encode())
    try:
        db.execute(f"grant insert (id, queue, target, args) on pgqueue.jobs to {role}".encode())
        found = examine("grants")
        assert (found.status, len(found.sql)) == ("FAIL", 15)
        assert f"{role} may enqueue, but not on column " in found.text
        cure(db, found)
        assert examine("grants").status == "ok"
    finally:
        db.execute(f"drop owned by {role}; drop role {role}".encode())


def test_who_may_not_see_others_says_what_it_would_take(
    db: Conn, server: Server, database: str, examine: Examine
) -> None:
    role = "blind"
    db.execute(f"create role {role} login; grant usage on schema pgqueue to {role}".encode())
    db.execute(f"grant select on all tables in schema pgqueue to {role}".encode())
    try:
        theirs = server.dsn(database, tcp=True).replace("user=postgres", f"user={role}")
        found = examine("privileges", theirs)
        assert (found.status, found.cure) == ("warn", f"grant pg_monitor to {role};")
        assert examine("horizon", theirs).status == "unknown"
        cure(db, found)
        assert examine("privileges", theirs).status == "ok"
        assert examine("horizon", theirs).status == "ok"
        db.execute(f"revoke select on pgqueue.jobs from {role}".encode())
        blind = examine("oldest", theirs)
        assert (blind.status, blind.cure) == ("unknown", "pgqueue doctor --only grants")
    finally:
        db.execute(f"drop owned by {role}; drop role {role}".encode())


def test_the_columns_that_a_producer_may_say_are_those_of_the_guide() -> None:
    guide = re.search(r"grant insert \(([^)]*)\) on pgqueue.jobs", (ROOT / "docs/guides/roles.md").read_text())
    asked = re.search(r"unnest\('\{([^}]*)\}'", query("doctor/grants"))
    assert guide is not None
    assert asked is not None
    assert asked[1].split(",") == re.sub(r"\s", "", guide[1]).split(",")
