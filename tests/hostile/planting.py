"""What a stranger with CREATE on `public` can plant there: overloads of all that our statements could call.

Nothing is listed by hand. Every word of our sources that names a function of PostgreSQL is planted for exactly the
types that its arguments accept, so that it matches better than a polymorphic one; every operator that could stand there
for every pair of types; every type and relation. Each counts in a sequence, which no rollback undoes, and raises.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import psycopg
from psycopg import sql

from pgqueue import migrate as migration
from tests.postgres import ROOT

# Where nobody unprivileged connects: what starts a database to show something.
_OTHERS = ("bench", "verify", "demo")


def words() -> set[str]:
    """Every word that stands in a statement of ours, and many that do not."""
    return {word for text in _texts() for word in re.findall(r"[a-z_][a-z0-9_]*", text.lower())}


def _texts() -> Iterator[str]:
    yield from migration.repeatables()
    package = ROOT / "pgqueue"
    for file in package.glob("store/sql/queries/**/*.sql"):
        yield file.read_text()
    for file in package.rglob("*.py"):
        if file.relative_to(package).parts[0] not in _OTHERS:
            yield from _strings(file.read_text())


def _strings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def plant(dsn: str, role: str) -> int:
    """Plant everything in `public` as a new role that may do nothing else; answers how many functions there are."""
    with psycopg.connect(dsn) as conn:
        conn.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        conn.execute(sql.SQL("grant create, usage on schema public to {}").format(sql.Identifier(role)))
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        conn.execute("select set_config('planting.words', %s, true)", [" ".join(sorted(words()))])
        # It is planted for others: the planter itself knows better.
        conn.execute("set local search_path = pg_catalog, pg_temp")
        conn.execute(_FUNCTIONS)
        conn.execute(_OPERATORS)
        conn.execute(_TYPES_AND_RELATIONS)
        row = conn.execute("select count(*) from pg_proc where pronamespace = 'public'::regnamespace").fetchone()
        assert row is not None
        return int(row[0])


def stung(dsn: str) -> bool:
    """Whether anything of it has run, in whatever transaction, ended or undone."""
    with psycopg.connect(dsn) as conn:
        return bool(conn.execute("select from public.stings where is_called").fetchall())


_FUNCTIONS = r"""
create sequence public.stings;
grant all on sequence public.stings to public;
do $do$
declare
  _words constant text[] := string_to_array(current_setting('planting.words'), ' ');
  _one record;
begin
  for _one in
    with types (type) as (
      select unnest(
        '{uuid,text,bigint,int,smallint,timestamptz,interval,float8,boolean,json,jsonb,tid,numeric}'::text[])
    ), asked as (
      select p.proname, p.proretset, p.provariadic = '"any"'::regtype as takes_any, p.pronargs,
             array(select format_type(a.oid, null) from unnest(p.proargtypes) with ordinality as a (oid, n)
                   order by a.n) as args,
             format_type(p.prorettype, null) as answer
      from pg_proc as p
      where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = any (_words)
    ), cast_to as (
      -- Once for each type that a polymorphic argument can stand for.
      select asked.*, types.type, more.n as more
      from asked cross join types cross join generate_series(0, 3) as more (n)
      where (types.type = 'uuid' or exists (select from unnest(asked.args) as a where a ~ '^any|"any"'))
        and (asked.takes_any or more.n = 0)
    )
    select distinct proname, proretset,
           array_to_string(array(
             select case when a in ('anyarray', 'anycompatiblearray') then type || '[]'
                         when a in ('anyelement', 'anynonarray', 'anycompatible', 'anycompatiblenonarray', '"any"')
                         then type else a end
             from unnest(case when takes_any then args[1:pronargs - 1] else args end) with ordinality as e (a, n)
             order by n) || array_fill(type, array[more]), ', ') as args,
           case when answer in ('anyarray', 'anycompatiblearray') then type || '[]'
                when answer ~ '^any' then type
                when answer in ('record', 'void', 'internal', 'cstring') then 'text' else answer end as answer
    from cast_to
    where not exists (
      select from unnest(args) as a where a in ('internal', 'cstring', 'record', 'anyenum', 'anyrange',
        'anymultirange', 'anycompatiblerange', 'anycompatiblemultirange', 'record[]', 'trigger'))
  loop
    continue when _one.answer in ('trigger', 'event_trigger', 'language_handler', 'anyrange', 'anyenum');
    execute format(
      'create or replace function public.%I(%s) returns %s %s language plpgsql as %L',
      _one.proname, _one.args, case when _one.proretset then 'setof' else '' end, _one.answer,
      format('begin perform pg_catalog.nextval(%L); raise exception %L; end', 'public.stings',
             'planted ' || _one.proname || '(' || _one.args || ') has run'));
  end loop;
end $do$
"""

_OPERATORS = r"""
do $do$
declare
  _types constant text[] :=
    '{uuid,text,bigint,int,smallint,timestamptz,interval,float8,boolean,json,jsonb,tid,numeric}';
  _names constant text[] := '{=,<>,<,>,<=,>=,+,-,*,/,%,||,~,!~,~~,!~~,->,->>,@>,&&}';
  _left text;
  _right text;
  _name text;
begin
  for _left, _right in
    select l, r from unnest(_types) as l cross join unnest(_types) as r
    union all
    select l || array_of[1], l || array_of[2]
    from unnest(_types) as l, (values (array['[]', '[]']), (array['[]', '']), (array['', '[]'])) as a (array_of)
  loop
    execute format(
      'create function public.sting(%s, %s) returns boolean language plpgsql as %L', _left, _right,
      format('begin perform pg_catalog.nextval(%L); raise exception %L; end', 'public.stings',
             'a planted operator between ' || _left || ' and ' || _right || ' has run'));
    foreach _name in array _names loop
      execute format('create operator public.%s (function = public.sting, leftarg = %s, rightarg = %s)',
                     _name, _left, _right);
    end loop;
  end loop;
end $do$
"""

_TYPES_AND_RELATIONS = r"""
do $do$
declare
  _words constant text[] := string_to_array(current_setting('planting.words'), ' ');
  _name text;
begin
  for _name in
    select c.relname from pg_class as c
    where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v') and c.relname = any (_words)
  loop
    execute format('create view public.%I as select pg_catalog.nextval(%L)', _name, 'public.stings');
    execute format('grant select on public.%I to public', _name);
  end loop;
  for _name in
    select t.typname from pg_type as t
    where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype = 'b' and t.typname = any (_words)
      and t.typcategory <> 'A'
  loop
    execute format('create domain public.%I as pg_catalog.bytea', _name);
  end loop;
end $do$
"""
