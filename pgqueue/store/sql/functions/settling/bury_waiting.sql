-- ready -> dead, for one job that no worker can claim, because the database refuses its row; answers whether it was.
-- Arguments and labels that cannot be read any more are left out: without them the row is not kept from its end.
-- Only while it waits and nobody has it in hand. Walks jobs_pkey; O(log n).
create or replace function pgqueue.bury_waiting(_id uuid, _reason text, _error_type text, _error text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _claim int;
  _args json;
  _labels jsonb;
  _follow_ups json;
  _target text;
  _workflow uuid;
  _links int[];
begin
  select least(job.claim, 2147483646) + 1, coalesce(job.fallen_from[1], job.target), job.workflow_id, job.failure_links
  into _claim, _target, _workflow, _links
  from pgqueue.jobs as job
  where job.id = _id and job.worker is null for update skip locked;
  if not found then
    return false;
  end if;
  begin
    -- Read whole, here: what is stored elsewhere is not looked at when a row is copied.
    select job.args::text::json, job.labels::text::jsonb into _args, _labels
    from pgqueue.jobs as job where job.id = _id;
  exception when others then
    _args := '{}';
  end;
  begin
    select job.follow_ups::text::json into _follow_ups from pgqueue.jobs as job where job.id = _id;
  exception when others then
    _follow_ups := null;
  end;
  if exists (select from pgqueue.attempts as same where same.job_id = _id and same.claim = _claim) then
    _claim := pgqueue.free_claim(_id);
  end if;
  insert into pgqueue.dead_jobs (id, run_at, created_at, timeout, claim, priority, attempt, crashes, max_attempts,
                                 store_result, queue, target, args, unique_key, start_key, limit_key, cost, labels,
                                 follow_ups, reason, error_type, error, fallen_from, own_terms, workflow_id, node,
                                 success_links, tenant)
  select _id, job.run_at, job.created_at, job.timeout, _claim, job.priority, job.attempt, job.crashes,
         job.max_attempts, job.store_result, job.queue, job.target, _args,
         coalesce(job.start_key, job.unique_key), job.start_key, job.limit_key, job.cost, _labels,
         _follow_ups, _reason, _error_type, _error, job.fallen_from, job.own_terms,
         job.workflow_id, job.node, pgqueue.links_left(job.success_links, job.failure_links), job.tenant
  from pgqueue.jobs as job where job.id = _id
  on conflict (id) do nothing;
  insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, error_type, error, created_at, run_at,
                                priority, max_attempts, args, labels, unique_key, limit_key, workflow_id, node,
                                tenant)
  select _id, _claim, job.attempt, 'failed', job.queue, job.target, _error_type, _error, job.created_at,
         job.run_at, job.priority, job.max_attempts, _args, _labels, coalesce(job.start_key, job.unique_key),
         job.limit_key, job.workflow_id, job.node, job.tenant
  from pgqueue.jobs as job where job.id = _id;
  perform pgqueue.let_go(array[job.queue], array[job.target], array[job.limit_key], array[job.hold])
  from pgqueue.jobs as job where job.id = _id and job.hold is not null;
  delete from pgqueue.jobs as job where job.id = _id;
  if _follow_ups is not null or exists (select from pgqueue.follow_ups as f where f.target = _target) then
    perform pgqueue.follow_up(json_build_array(json_build_object(
      'id', _id, 'target', _target, 'follow_ups', _follow_ups, 'state', 'dead', 'reason', _reason,
      'error_type', _error_type, 'error', _error)));
  end if;
  if _links is not null then
    perform pgqueue.count_ends(array[_workflow], array[_links::text], true, clock_timestamp());
  end if;
  perform pgqueue.wake_waiters(array[_id]);
  return true;
end $$;
