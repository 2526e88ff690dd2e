-- every job, attempt, setting and worker -> (nothing), for tests.
-- Keeps what migrations have written: the revision, and the chores that workers share. By delete, because most tables
-- are empty or nearly so, and a truncate of each would rewrite its file.
do $$
declare
  _table text;
begin
  for _table in
    select pg_catalog.format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid operator(pg_catalog.=) c.relnamespace
    where n.nspname operator(pg_catalog.=) 'pgqueue' and c.relkind operator(pg_catalog.=) 'r'
      and c.relname operator(pg_catalog.<>) all (array['alembic_version', 'duties']::name[])
  loop
    execute 'delete from ' || _table;
  end loop;
end $$
