-- Put the table with partitions in the place of attempts or dead_jobs, which is `..._before` then: names, owners, rights and
-- comments are as they were, and views read the new one. Answers false, and does nothing, if the table has other columns
-- by now than its copy: begin anew. The caller has locked both against everybody. O(partitions).
create or replace function pgqueue.end_copy(_table text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _old constant regclass := to_regclass(format('pgqueue.%I', _table));
  _new constant regclass := to_regclass(format('pgqueue.%I', _table || '_copy'));
  _views text[];
  _text text;
begin
  if exists (
    select from (
      select a.attname, a.atttypid, a.atttypmod, a.attcollation, count(*) as tables
      from pg_attribute as a
      where a.attrelid in (_old, _new) and a.attnum > 0 and not a.attisdropped
      group by 1, 2, 3, 4) as columns
    where columns.tables = 1)
  then
    return false;
  end if;
  perform pgqueue.unmirror(_table);
  _views := array(
    select format('create or replace view pgqueue.%I%s as %s', v.relname,
                  (select ' with (' || string_agg(each, ', ') || ')' from unnest(v.reloptions) as each),
                  pg_get_viewdef(v.oid))
    from pg_class as v
    where v.relnamespace = 'pgqueue'::regnamespace and v.relkind = 'v' and exists (
      select from pg_rewrite as r
      join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
      where r.ev_class = v.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = _old)
    order by v.relname);
  perform pgqueue.take_rights(_old, _new);
  perform pgqueue.rename_all(_old, _table, _table || '_before');
  perform pgqueue.rename_all(_new, _table || '_copy', _table);
  foreach _text in array _views loop
    -- The definition was read before the names changed.
    execute _text;
  end loop;
  perform pgqueue.keep_tenants();
  -- Functions with a variable of the type of its rows are compiled anew, in every session.
  for _text in
    select format('alter function %s cost %s', f.oid::regprocedure, f.procost)
    from pg_proc as f
    where f.pronamespace = 'pgqueue'::regnamespace and f.prosrc ~ ('pgqueue\.' || _table || '\y')
    order by f.oid
  loop
    execute _text;
  end loop;
  return true;
end $$;
