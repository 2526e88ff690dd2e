-- Make a table like a partitioned one, with its constraints and indexes, to be attached or filled; answers its name.
-- It belongs to whom that belongs to; where tenants are on, nobody else reads it but through that. O(1).
create or replace function pgqueue.new_partition(_table text, _suffix text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _name constant text := format('%s_%s', _table, _suffix);
begin
  execute format('create table pgqueue.%I (like pgqueue.%I including all)%s', _name, _table,
                 case when _table like 'attempts%' then ' with (autovacuum_vacuum_insert_scale_factor = 0.1)' end);
  execute (
    select format('alter table pgqueue.%I owner to %I', _name, pg_get_userbyid(c.relowner))
    from pg_class as c where c.oid = to_regclass(format('pgqueue.%I', _table)));
  if pgqueue.has_tenants() then
    execute format('alter table pgqueue.%I enable row level security', _name);
  end if;
  return _name;
end $$;
