-- Give up copying attempts or dead_jobs into partitions: its copy goes, and nothing else. Locks the table against everybody,
-- briefly. Nothing where no copy was begun.
create or replace function pgqueue.forget_copy(_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.unmirror(_table);
  execute format('drop table if exists pgqueue.%I', _table || '_copy');
end $$;
