-- reap_telling(), of which nobody wants to know which jobs are dead.
create or replace function pgqueue.reap(_pages int default 16384)
returns table (worker bigint, jobs int, finished boolean)
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  return query
  select found.worker, found.jobs, found.finished from pgqueue.reap_telling(_pages, false) as found;
end $$;
