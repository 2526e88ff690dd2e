"""What each role may do is what functions.txt and relations.txt say, for every function, table, view and sequence."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any, NamedTuple

import psycopg
import pytest

from pgqueue.migrate import migrate
from pgqueue.store import execute, rights
from pgqueue.store.rights import PARTS, FunctionRight, RelationRight, function_rights, relation_rights
from tests.roles.conftest import Staffed

FUNCTIONS = {each.name: each for each in function_rights()}
WHERE = "pgqueue/store/rights"
USERS = [part for part in PARTS if part != "migrator"]
OF_KIND = {
    "table": ("select", "insert", "update", "delete", "truncate", "references", "trigger"),
    "view": ("select", "insert", "update", "delete"),
    "sequence": ("usage", "select", "update"),
}
COLUMN_RIGHTS = ("select", "insert", "update")


class Relation(NamedTuple):
    """A table, view or sequence of the schema as the catalogue has it."""

    name: str
    kind: str
    columns: list[str]


def functions(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Every function of the schema: its name, and how it is called by its arguments."""
    return conn.execute(
        "select proname, oid::regprocedure::text from pg_proc where pronamespace = 'pgqueue'::regnamespace order by 2"
    ).fetchall()


def relations(conn: psycopg.Connection[Any]) -> list[Relation]:
    rows = conn.execute(
        """
        select c.relname, case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end,
               array(select a.attname::text from pg_attribute as a
                     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind <> 'S')
        from pg_class as c
        where c.relnamespace = 'pgqueue'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
          and not c.relispartition
        order by 1
        """
    ).fetchall()
    return [Relation(*row) for row in rows]


def told_of(name: str) -> list[RelationRight]:
    """What is said of a relation: by its name, or else by a pattern."""
    return [each for each in relation_rights() if each.name == name] or [
        each for each in relation_rights() if "*" in each.name and fnmatchcase(name, each.name)
    ]


def may_call(part: str, right: FunctionRight) -> bool:
    return part in right.roles or (part == "admin" and right.roles not in (("owner",), ("trigger",)))


def wanted(part: str, relation: Relation) -> dict[str, set[str]]:
    """The rights of a role on the columns of a relation, and on all of it under the name '*'."""
    told = told_of(relation.name)
    found: dict[str, set[str]] = {name: set() for name in ("*", *relation.columns)}
    for each in (each for each in told if each.role == part):
        assert each.privilege is not None
        if each.columns is None and each.but is None:
            found["*"].add(each.privilege)
        for column in relation.columns:
            if column in (each.columns or ()) or (each.but is not None and column not in each.but):
                found[column].add(each.privilege)
    if part == "admin" and not any(each.role == "admin" for each in told):
        found["*"] |= {"table": {*OF_KIND["table"][:4]}, "view": {"select"}, "sequence": {"usage", "select"}}[
            relation.kind
        ]
    for column in relation.columns:
        found[column] |= found["*"] & set(COLUMN_RIGHTS)
    return found


def has(conn: psycopg.Connection[Any], part: str, role: str, relation: Relation) -> dict[str, set[str]]:
    """The rights that PostgreSQL says a role has on a relation, inherited ones and those of everybody too."""
    kind = "sequence" if relation.kind == "sequence" else "table"
    name = f"pgqueue.{relation.name}"
    (whole,) = conn.execute(
        f"select array(select each from unnest(%s::text[]) as each where has_{kind}_privilege(%s, %s, each))",
        [list(OF_KIND[relation.kind]), role, name],
    ).fetchone() or ([],)
    found = {"*": set(whole), **{column: set() for column in relation.columns}}
    if relation.kind != "sequence":
        rows = conn.execute(
            "select name, each from unnest(%s::text[]) as name cross join unnest(%s::text[]) as each"
            " where has_column_privilege(%s, %s, name, each)",
            [relation.columns, list(COLUMN_RIGHTS), role, name],
        )
        for column, privilege in rows:
            found[column].add(privilege)
    return found


def test_every_function_stands_in_the_matrix(staffed: Staffed) -> None:
    there = {name for name, _ in functions(staffed.conn)}
    missing, gone = sorted(there - FUNCTIONS.keys()), sorted(FUNCTIONS.keys() - there)
    assert not missing, (
        f"say who may call {', '.join(missing)}: a line each in {WHERE}/functions.txt, as its head has it"
    )
    assert not gone, f"no such function: take {', '.join(gone)} out of {WHERE}/functions.txt"


def test_every_relation_stands_in_the_matrix(staffed: Staffed) -> None:
    there = {each.name for each in relations(staffed.conn)}
    missing = sorted(name for name in there if not told_of(name))
    gone = sorted({each.name for each in relation_rights() if "*" not in each.name} - there)
    assert not missing, f"say who may use {', '.join(missing)}: in {WHERE}/relations.txt, as its head has it"
    # The copy of history is made and dropped.
    assert not gone or gone == ["partitioning"], (
        f"no such relation: take {', '.join(gone)} out of {WHERE}/relations.txt"
    )


def test_each_role_may_call_the_functions_of_the_matrix_and_no_other(staffed: Staffed) -> None:
    rows = staffed.conn.execute(
        """
        select p.proname, p.oid::regprocedure::text, r.rolname, has_function_privilege(r.oid, p.oid, 'execute')
        from pg_proc as p cross join pg_roles as r
        where p.pronamespace = 'pgqueue'::regnamespace and r.rolname = any (%s)
        """,
        [[staffed.role(part) for part in USERS]],
    ).fetchall()
    part_of = {staffed.role(part): part for part in USERS}
    wrong = [
        f"{part_of[role]} {'may' if may else 'may not'} call {call}"
        for name, call, role, may in rows
        if may != may_call(part_of[role], FUNCTIONS[name])
    ]
    assert len(rows) > 1500
    assert wrong == []


@pytest.mark.parametrize("part", USERS)
def test_each_role_has_the_rights_on_relations_of_the_matrix_and_no_other(staffed: Staffed, part: str) -> None:
    for relation in relations(staffed.conn):
        assert has(staffed.conn, part, staffed.role(part), relation) == wanted(part, relation), relation.name


def test_nobody_else_may_do_anything(staffed: Staffed) -> None:
    stranger = f"{staffed.prefix}_stranger"
    staffed.conn.execute(f"create role {stranger}")
    try:
        for relation in relations(staffed.conn):
            assert not any(has(staffed.conn, "", stranger, relation).values()), relation.name
        (count,) = staffed.conn.execute(
            "select count(*) from pg_proc where pronamespace = 'pgqueue'::regnamespace"
            " and has_function_privilege(%s, oid, 'execute')",
            [stranger],
        ).fetchone() or (None,)
        assert count == 0
        usage = staffed.conn.execute("select has_schema_privilege(%s, 'pgqueue', 'usage')", [stranger])
        assert usage.fetchone() == (False,)
    finally:
        staffed.conn.execute(f"drop role {stranger}")


def test_the_migrator_owns_everything_and_no_role_is_more_than_its_rights(staffed: Staffed) -> None:
    owners = staffed.conn.execute(
        """
        select what, owner::regrole::text from (
          select nspname, nspowner from pg_namespace where nspname = 'pgqueue'
          union all select relname, relowner from pg_class where relnamespace = 'pgqueue'::regnamespace
          union all select proname, proowner from pg_proc where pronamespace = 'pgqueue'::regnamespace)
            as one (what, owner)
        """
    ).fetchall()
    assert [each for each in owners if each[1] != staffed.role("migrator")] == []
    mighty = staffed.conn.execute(
        "select rolname from pg_roles where rolname = any (%s)"
        " and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication or rolcanlogin)",
        [[staffed.role(part) for part in PARTS]],
    ).fetchall()
    assert mighty == []
    for part in USERS:
        (may,) = staffed.conn.execute(
            "select has_schema_privilege(%s, 'pgqueue', 'create')", [staffed.role(part)]
        ).fetchone() or (None,)
        assert may is False


def test_what_runs_as_its_owner_is_what_the_matrix_says_and_looks_nowhere_else(staffed: Staffed) -> None:
    rows = staffed.conn.execute(
        "select proname, prosecdef, coalesce(proconfig, '{}') from pg_proc"
        " where pronamespace = 'pgqueue'::regnamespace order by 1"
    ).fetchall()
    for name, (_, *found) in ((name, row) for name, rows_of in groupby(rows, lambda row: row[0]) for row in rows_of):
        definer, settings = found
        assert definer == FUNCTIONS[name].definer, name
        if definer:
            # What is temporary comes last: else a table of the caller's would stand in the place of one of ours.
            assert "search_path=pg_catalog, pgqueue, pg_temp" in settings, name


def test_a_right_that_was_changed_by_hand_is_told_and_put_right(staffed: Staffed) -> None:
    conn, worker, reader = staffed.conn, staffed.role("worker"), staffed.role("reader")
    assert execute(conn, rights.amiss()) == []
    conn.execute(f"grant insert, update on pgqueue.jobs to {reader}")
    conn.execute(f"revoke select on pgqueue.jobs from {worker}")
    conn.execute("grant execute on function pgqueue.cancel(uuid) to public")
    conn.execute("alter function pgqueue.cancel(uuid) security invoker")
    conn.execute("create function pgqueue.brought_by_hand() returns int language sql return 1")
    conn.execute("drop trigger jobs_checked on pgqueue.jobs")
    told = execute(conn, rights.amiss())
    assert "alter function pgqueue.cancel(uuid) security definer set search_path = pg_catalog, pgqueue, pg_temp" in told
    assert f"revoke INSERT, UPDATE on table pgqueue.jobs from {reader}" in told
    assert f"grant SELECT on table pgqueue.jobs to {worker}" in told
    assert "revoke execute on function pgqueue.brought_by_hand() from public" in told
    assert execute(conn, rights.give()) >= len(told)
    assert execute(conn, rights.amiss()) == []
    conn.execute("drop function pgqueue.brought_by_hand()")


def test_each_migration_gives_the_rights_anew(staffed: Staffed) -> None:
    """As a login that is a member of the migrator, and neither superuser nor owner of anything itself."""
    conn = staffed.conn
    conn.execute("comment on schema pgqueue is 'functions of 0.0.1, 0123456789abcdef'")
    conn.execute("drop function pgqueue.note_headers(uuid[], text[])")
    assert migrate(staffed.logins["migrator"])
    assert execute(conn, rights.amiss()) == []
    (owner, definer) = conn.execute(
        "select proowner::regrole::text, prosecdef from pg_proc where proname = 'note_headers'"
    ).fetchone() or (None, None)
    assert (owner, definer) == (staffed.role("migrator"), True)
    assert not migrate(staffed.logins["migrator"])
