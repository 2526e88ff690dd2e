-- running -> retrying (a delay is given), or -> dead | cancelled (it is null; the reason says why).
-- A job that was to be cancelled while it ran is cancelled after any failure, but one that the task, its arguments or
-- its ttl made final.
-- Fenced: touches no row once the lease went to another attempt; answers the ids that were late.
-- An attempt that never began (outcome or reason `expired`, reason `unregistered` or `untrusted`) is not counted. Crashes
-- count only in a row. Nothing follows the end of what is `untrusted`: nobody knows who said so.
-- A delay is at most a century, so that no row of a batch can be refused.
-- Walks jobs_pkey in id order; O(batch log n).
create or replace function pgqueue.fail(
  _worker bigint, _ids uuid[], _claims int[], _outcomes text[], _delays float8[], _reasons text[],
  _error_types text[], _errors text[], _tracebacks text[], _causes text[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _settled uuid[];
  _ordered constant uuid[] := pgqueue.ordered_among(_ids, false);
  _stopped constant uuid[] := case
    when _ordered <> '{}' then pgqueue.ordered_among(_ids, true) else '{}' end;
  _free_queues text[];
  _free_targets text[];
  _free_keys text[];
  _free_holds bigint[];
  _followed json;
  _workflows uuid[];
  _links text[];
  _cancelling constant boolean := exists (select from pgqueue.cancellations);
begin
  with held as materialized (
    select job.*, told.outcome, told.reason, told.error_type, told.error, told.traceback,
           told.cause, case when _cancelling and told.delay is null and told.outcome <> 'cancelled'
                  and coalesce(told.reason, '') not in ('buried', 'refused', 'untrusted', 'unreadable', 'unbindable', 'expired')
                  and exists (select from pgqueue.cancellations as c where c.job_id = job.id offset 0) then 0
                else told.delay end as delay,
           job.attempt - (told.outcome in ('expired', 'cancelled') and told.reason is not distinct from 'expired'
                          or coalesce(told.reason, '') in ('unregistered', 'untrusted'))::int as counted,
           case when told.outcome = 'crashed' then least(greatest(job.crashes, 0), 32766) + 1 else 0 end as crashes_now
    from (
      select *
      from unnest(_ids, _claims, _outcomes, _delays, _reasons, _error_types, _errors, _tracebacks, _causes)
        as batch (id, claim, outcome, delay, reason, error_type, error, traceback, cause)
      order by batch.id) as told
    cross join lateral (
      select * from pgqueue.jobs as held
      where held.id = told.id and held.claim = told.claim and held.worker = _worker
      for update) as job
  ), waiting as materialized (
    -- In order of id, so that width_bucket() finds the place of each.
    select array_agg(held.id order by held.id) as ids, array_agg(held.crashes_now order by held.id) as crashes,
           array_agg(make_interval(secs => greatest(0, least(held.delay, 3.2e9))) order by held.id) as delays
    from held
    where held.delay is not null
  ), again as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, lined = null,
        -- In an ordered lane nothing starts before it.
        hold = case when job.id = any (_ordered) then job.hold end,
        crashes = (select w.crashes from waiting as w)[width_bucket(job.id, (select w.ids from waiting as w))],
        run_at = clock_timestamp()
          + (select w.delays from waiting as w)[width_bucket(job.id, (select w.ids from waiting as w))]
    where job.id = any ((select w.ids from waiting as w)::uuid[])
  ), ended as (
    delete from pgqueue.jobs as job where job.id = any (array(select held.id from held where held.delay is null))
  ), buried as (
    insert into pgqueue.dead_jobs (id, run_at, created_at, started_at, timeout, claim, priority, attempt, crashes,
                                   max_attempts, store_result, queue, target, args, unique_key, start_key, limit_key,
                                   cost, hold, labels, headers, follow_ups, reason, error_type, error, traceback,
                                   cause, fallen_from, own_terms, workflow_id, node, success_links,
                                   tenant)
    select held.id, held.run_at, held.created_at, held.started_at, held.timeout, held.claim, held.priority,
           held.counted, held.crashes_now, held.max_attempts, held.store_result, held.queue, held.target, held.args,
           coalesce(held.start_key, held.unique_key), held.start_key, held.limit_key, held.cost,
           case when held.id = any (_stopped) then held.hold end, held.labels, held.headers, held.follow_ups,
           held.reason, held.error_type, held.error, held.traceback, held.cause, held.fallen_from, held.own_terms,
           held.workflow_id, held.node, pgqueue.links_left(held.success_links, held.failure_links), held.tenant
    from held
    where held.delay is null and held.outcome <> 'cancelled'
    on conflict (id) do nothing
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target, error_type,
                                  error, traceback, created_at, run_at, priority, max_attempts, args, labels,
                                  unique_key, limit_key, cause, headers, workflow_id, node, tenant)
    select held.id, held.started_at, _worker,
           coalesce((
             select pgqueue.free_claim(same.job_id)
             from pgqueue.attempts as same where same.job_id = held.id and same.claim = held.claim), held.claim),
           held.counted, held.outcome, held.queue, held.target,
           held.error_type, held.error, held.traceback, held.created_at, held.run_at, held.priority,
           held.max_attempts, case when held.delay is null then held.args end, held.labels,
           coalesce(held.start_key, held.unique_key), held.limit_key, held.cause,
           case when held.delay is null then held.headers end, held.workflow_id, held.node, held.tenant
    from held
  )
  select coalesce(array_agg(held.id), '{}'), array_agg(held.queue) filter (where held.hold is not null),
         array_agg(held.target) filter (where held.hold is not null),
         array_agg(case when held.id <> all (case when held.delay is not null then _ordered
                                                  when held.outcome <> 'cancelled' then _stopped
                                                  else '{}' end)
                        then held.limit_key end) filter (where held.hold is not null),
         array_agg(held.hold) filter (where held.hold is not null),
         json_agg(json_build_object(
           'id', held.id, 'target', coalesce(held.fallen_from[1], held.target), 'follow_ups', held.follow_ups,
           'state', case held.outcome when 'cancelled' then 'cancelled' else 'dead' end, 'reason', held.reason,
           'error_type', held.error_type, 'error', held.error, 'headers', held.headers))
           filter (where held.delay is null and held.reason is distinct from 'untrusted' and (
                     held.follow_ups is not null
                     or coalesce(held.fallen_from[1], held.target) in (
                       select f.target from pgqueue.follow_ups as f))),
         array_agg(held.workflow_id) filter (where held.delay is null and held.workflow_id is not null),
         array_agg(case held.outcome when 'cancelled' then pgqueue.links_called_off(held.success_links, held.failure_links)
                   else held.failure_links end::text)
           filter (where held.delay is null and held.workflow_id is not null)
  into _settled, _free_queues, _free_targets, _free_keys, _free_holds, _followed, _workflows, _links
  from held;
  if _free_holds is not null then
    perform pgqueue.let_go(_free_queues, _free_targets, _free_keys, _free_holds);
  end if;

  if _followed is not null then
    perform pgqueue.follow_up(_followed);
  end if;
  if _workflows is not null then
    perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  end if;
  perform pgqueue.call_off(_settled);
  perform pgqueue.forget_cancellations(_settled);
  perform pgqueue.wake_for(_settled);
  perform pgqueue.wake_waiters(_settled);
  if cardinality(_settled) < cardinality(_ids) then
    return pgqueue.record_late(_worker, _ids, _claims, 'failed', _settled);
  end if;
  return '{}';
end $$;
