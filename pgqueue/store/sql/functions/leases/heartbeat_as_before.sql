-- heartbeat() as workers of the last release call it: they say nothing of themselves. O(1).
create or replace function pgqueue.heartbeat(_worker bigint, _lease interval)
returns table (alive boolean, asked text, cancelled uuid[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select beat.alive, beat.asked, beat.cancelled from pgqueue.heartbeat(_worker, _lease, null) as beat;
end $$;
