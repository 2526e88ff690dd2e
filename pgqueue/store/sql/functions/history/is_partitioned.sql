-- Whether attempts or dead_jobs is partitioned: both are, or neither, but while that changes. Reads the catalogue.
create or replace function pgqueue.is_partitioned(_table text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from pg_class as c where c.oid = to_regclass(format('pgqueue.%I', _table)) and c.relkind = 'p');
end $$;
