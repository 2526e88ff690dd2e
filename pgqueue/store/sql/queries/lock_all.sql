-- Lock every view of pgqueue, then `jobs`, then its companions, against everybody: readers lock a view before what it
-- reads, and a move locks `jobs` first. One statement, so that one statement_timeout bounds all its waits.
do $$
declare
  _view record;
begin
  -- What changes nothing, because LOCK would go on to the tables of one view before it came to the next view.
  for _view in
    select c.oid::regclass as name, a.attname as first
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    join pg_attribute as a on a.attrelid = c.oid and a.attnum = 1
    where n.nspname = 'pgqueue' and c.relkind = 'v'
    order by c.relname
  loop
    execute format('alter view %s alter column %I drop default', _view.name, _view.first);
  end loop;
  execute (
    select format('lock table %s in access exclusive mode',
                  string_agg(c.oid::regclass::text, ', ' order by c.relname = 'jobs' desc, c.relname))
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'pgqueue' and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'alembic_version');
end $$
