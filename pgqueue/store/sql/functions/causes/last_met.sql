-- When a cause was last met, as far as is known: by a dead job, or counted by a worker. Null if never.
-- Walks dead_jobs_cause and tallies_cause; O(log n).
create or replace function pgqueue.last_met(_cause text) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return greatest(
    (select d.died_at from pgqueue.dead_jobs as d where d.cause = _cause order by d.id desc limit 1),
    (select t.minute from pgqueue.tallies as t where t.cause = _cause order by t.minute desc limit 1));
end $$;
