-- running -> ready | cancelled, for jobs that were claimed and never begun; nobody is asked for a token: the caller has
-- locked them. Their shares go back, but for those of ordered lanes, which nobody may pass. Answers those that were given back. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.hand_back(_ids uuid[]) returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _ordered constant uuid[] := pgqueue.ordered_among(_ids, false);
  _freed uuid[];
  _queues text[];
  _targets text[];
  _keys text[];
  _holds bigint[];
begin
  select array_agg(job.queue), array_agg(job.target),
         array_agg(case when job.id <> all (_ordered) then job.limit_key end), array_agg(job.hold)
  into _queues, _targets, _keys, _holds
  from pgqueue.jobs as job
  where job.id = any (_ids) and job.hold is not null;
  with freed as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, hold = case when job.id = any (_ordered) then job.hold end,
        attempt = greatest(job.attempt, 1) - 1
    where job.id = any (_ids)
    returning job.id
  )
  select coalesce(array_agg(freed.id), '{}') into _freed from freed;
  if _holds is not null then
    perform pgqueue.let_go(_queues, _targets, _keys, _holds);
  end if;
  perform pgqueue.call_off(_freed);
  return _freed;
end $$;
