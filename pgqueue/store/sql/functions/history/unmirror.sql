-- Undo mirror(): the triggers go, their functions, and what was noted of the copying.
create or replace function pgqueue.unmirror(_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _name text;
begin
  foreach _name in array '{copy_held,copy_insert,copy_update,copy_delete,copy_truncate}'::text[] loop
    execute format('drop trigger if exists %I on pgqueue.%I', _name, _table);
  end loop;
  execute format('drop function if exists pgqueue.%I()', 'mirror_' || _table);
  execute format('drop function if exists pgqueue.%I()', 'hold_' || _table || '_copy');
  if to_regclass('pgqueue.partitioning') is not null then
    delete from pgqueue.partitioning as p where p.source = _table;
    if not exists (select from pgqueue.partitioning) then
      drop table pgqueue.partitioning;
    end if;
  end if;
end $$;
