-- running -> ready | cancelled, for jobs that were claimed and never begun; nobody is asked for a token: the caller has
-- locked them. Answers those that were given back. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.hand_back(_ids uuid[]) returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _freed uuid[];
begin
  with freed as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, attempt = greatest(job.attempt, 1) - 1
    where job.id = any (_ids)
    returning job.id
  )
  select coalesce(array_agg(freed.id), '{}') into _freed from freed;
  perform pgqueue.call_off(_freed);
  return _freed;
end $$;
