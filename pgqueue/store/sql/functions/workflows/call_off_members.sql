-- scheduled | ready | retrying | manual -> cancelled for these members of a workflow, which the caller has locked: as
-- cancel() does it, many at once. Answers how many. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.call_off_members(_ids uuid[], _why text) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _gone uuid[];
  _workflows uuid[];
  _links text[];
  _followed json;
  _queues text[];
  _targets text[];
  _keys text[];
  _holds bigint[];
begin
  with gone as (
    delete from pgqueue.jobs as job where job.id = any (_ids) and coalesce(job.worker, -1) = -1 returning job.*
  ), recorded as (
    insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, error, created_at, run_at, priority,
                                  max_attempts, args, labels, unique_key, limit_key, headers, fallen_from, workflow_id,
                                  node, tenant)
    select gone.id,
           case when exists (select from pgqueue.attempts as same
                             where same.job_id = gone.id and same.claim = least(gone.claim, 2147483646) + 1 offset 0)
                then pgqueue.free_claim(gone.id) else least(gone.claim, 2147483646) + 1 end,
           gone.attempt, 'cancelled', gone.queue, gone.target, _why, gone.created_at, gone.run_at, gone.priority,
           gone.max_attempts, gone.args, gone.labels, coalesce(gone.start_key, gone.unique_key), gone.limit_key,
           gone.headers, gone.fallen_from, gone.workflow_id, gone.node, gone.tenant
    from gone
  ), unparked as (
    delete from pgqueue.parked as parked where parked.job_id = any (array(select gone.id from gone))
  ), answered as (
    delete from pgqueue.manual_jobs as manual where manual.job_id = any (array(select gone.id from gone))
  )
  select coalesce(array_agg(gone.id), '{}'), array_agg(gone.workflow_id),
         array_agg(pgqueue.links_called_off(gone.success_links, gone.failure_links)::text),
         json_agg(json_build_object(
           'id', gone.id, 'target', coalesce(gone.fallen_from[1], gone.target), 'follow_ups', gone.follow_ups,
           'state', 'cancelled', 'reason', _why, 'headers', gone.headers))
           filter (where gone.follow_ups is not null or coalesce(gone.fallen_from[1], gone.target) in (
                     select f.target from pgqueue.follow_ups as f)),
         array_agg(gone.queue) filter (where gone.hold is not null),
         array_agg(gone.target) filter (where gone.hold is not null),
         array_agg(gone.limit_key) filter (where gone.hold is not null),
         array_agg(gone.hold) filter (where gone.hold is not null)
  into _gone, _workflows, _links, _followed, _queues, _targets, _keys, _holds
  from gone;
  if _gone = '{}' then
    return 0;
  end if;
  if _holds is not null then
    perform pgqueue.let_go(_queues, _targets, _keys, _holds);
  end if;
  if _followed is not null then
    perform pgqueue.follow_up(_followed);
  end if;
  perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  perform pgqueue.forget_cancellations(_gone);
  perform pgqueue.wake_waiters(_gone);
  return cardinality(_gone);
end $$;
