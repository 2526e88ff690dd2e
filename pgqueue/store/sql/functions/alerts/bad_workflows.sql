-- Workflows that have failed, with a death within the hour before _now, as one alert, if they are as many as alert_bound()
-- has it: how many of the newest 1,000 with dead jobs, and the first of them by name.
-- Walks what workflows_with_dead() walks, and 1,000 dead jobs of each that failed.
create or replace function pgqueue.bad_workflows(_now timestamptz)
returns table (object text, n bigint, since timestamptz, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select '', count(*), min(failed.died_at), jsonb_build_object(
           'workflow', (array_agg(failed.id order by failed.died_at desc))[1],
           'names', (array_agg(left(failed.name, 100) order by failed.died_at desc))[:5])
  from (
    select bad.workflow_id as id, w.name, (
      select max(d.died_at)
      from (
        select dead.died_at from pgqueue.dead_jobs as dead
        where dead.workflow_id = bad.workflow_id order by dead.node, dead.id limit 1000) as d) as died_at
    from pgqueue.workflows_with_dead(null, 1000) as bad
    join pgqueue.workflows as w on w.id = bad.workflow_id
    where bad.state = 'failed') as failed
  where failed.died_at > _now - interval '1 hour' and failed.died_at <= _now
  having count(*) >= pgqueue.alert_bound('workflow') and count(*) > 0;
end $$;
