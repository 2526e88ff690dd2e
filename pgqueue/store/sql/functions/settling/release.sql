-- running -> ready | scheduled | retrying | cancelled: the attempt is given back, the claim number is not.
-- Fenced: touches no row once the lease went to another attempt; answers the ids that were late.
-- A delay of 0 leaves the job at its old place in the order. Only attempts that had begun are recorded, with the error
-- that its host brought upon it; the job is then kept from that host for a while (_avoid).
-- A delay is at most a century, so that no row of a batch can be refused.
-- Walks jobs_pkey in id order; O(batch log n).
create or replace function pgqueue.release(
  _worker bigint, _ids uuid[], _claims int[], _delays float8[], _started boolean[], _avoid boolean[],
  _error_types text[], _errors text[], _tracebacks text[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _settled uuid[];
  _ordered constant uuid[] := pgqueue.ordered_among(_ids, false);
  _free_queues text[];
  _free_targets text[];
  _free_keys text[];
  _free_holds bigint[];
  _host constant text := (select me.host from pgqueue.workers as me where me.id = _worker);
begin
  with held as materialized (
    select job.*, told.delay, told.started, told.avoid, told.error_type, told.error, told.traceback
    from (
      select *
      from unnest(_ids, _claims, _delays, _started, _avoid, _error_types, _errors, _tracebacks)
        as batch (id, claim, delay, started, avoid, error_type, error, traceback)
      order by batch.id) as told
    cross join lateral (
      select * from pgqueue.jobs as held
      where held.id = told.id and held.claim = told.claim and held.worker = _worker
      for update) as job
  ), back as materialized (
    -- In order of id, so that width_bucket() finds the place of each. No delay: the job keeps its place.
    select array_agg(held.id order by held.id) as ids,
           array_agg(case when held.avoid then _host end order by held.id) as hosts,
           -- What ended by itself has not crashed: crashes are counted in a row.
           array_agg(held.started and held.delay > 0 and held.error_type is null order by held.id) as well,
           array_agg(case when held.delay > 0 or held.avoid
                          then make_interval(secs => greatest(0, least(held.delay, 3.2e9))) end
                     order by held.id) as delays
    from held
  ), freed as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, attempt = greatest(job.attempt, 1) - 1,
        -- What has begun a lane in order does not let others pass: be it snoozed, or a retry that could not begin.
        hold = case when job.id = any (_ordered) then job.hold end,
        -- What waits for a time leaves its line until then.
        lined = case when (select b.delays from back as b)[width_bucket(job.id, (select b.ids from back as b))] is null
                     then job.lined end,
        crashes = case when (select b.well from back as b)[width_bucket(job.id, (select b.ids from back as b))] then 0
                       else job.crashes end,
        avoid_host = (select b.hosts from back as b)[width_bucket(job.id, (select b.ids from back as b))],
        run_at = coalesce(
          clock_timestamp() + (select b.delays from back as b)[width_bucket(job.id, (select b.ids from back as b))],
          job.run_at)
    where job.id = any ((select b.ids from back as b)::uuid[])
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target, error_type,
                                  error, traceback, workflow_id, node, tenant)
    select held.id, held.started_at, _worker,
           coalesce((
             select pgqueue.free_claim(same.job_id)
             from pgqueue.attempts as same where same.job_id = held.id and same.claim = held.claim), held.claim),
           held.attempt, 'released', held.queue, held.target,
           held.error_type, held.error, held.traceback, held.workflow_id, held.node, held.tenant
    from held
    where held.started
  )
  select coalesce(array_agg(held.id), '{}'), array_agg(held.queue) filter (where held.hold is not null),
         array_agg(held.target) filter (where held.hold is not null),
         array_agg(case when held.id <> all (_ordered) then held.limit_key end) filter (where held.hold is not null),
         array_agg(held.hold) filter (where held.hold is not null)
  into _settled, _free_queues, _free_targets, _free_keys, _free_holds
  from held;
  if _free_holds is not null then
    perform pgqueue.let_go(_free_queues, _free_targets, _free_keys, _free_holds);
  end if;

  perform pgqueue.call_off(_settled);
  perform pgqueue.wake_for(_settled);
  if true = any (_started) then
    perform pgqueue.wake_waiters(array(
      select told.id from unnest(_ids, _started) as told (id, started)
      where told.started and told.id = any (_settled)));
  end if;
  if cardinality(_settled) < cardinality(_ids) then
    return pgqueue.record_late(_worker, _ids, _claims, 'released', _settled);
  end if;
  return '{}';
end $$;
