-- Rename a table with its partitions and all their indexes: those whose names begin as it does. A part of end_copy().
create or replace function pgqueue.rename_all(_whole regclass, _from text, _to text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _text text;
begin
  for _text in
    with tables as (
      select _whole::oid as oid
      union all
      select part.inhrelid from pg_inherits as part where part.inhparent = _whole
    )
    select format('alter %s pgqueue.%I rename to %I', case when c.relkind in ('r', 'p') then 'table' else 'index' end,
                  c.relname, _to || substr(c.relname, length(_from) + 1))
    from pg_class as c
    where (c.oid in (select t.oid from tables as t)
           or c.oid in (select i.indexrelid from pg_index as i where i.indrelid in (select t.oid from tables as t)))
      and (c.relname = _from or starts_with(c.relname, _from || '_'))
    order by c.oid
  loop
    execute _text;
  end loop;
end $$;
